/** The real command on volumes that are full or read-only. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithMounts, withMounts } from '../mounts.ts';
import { finished } from './finished.ts';
import { temporaryFolder } from './temporary.ts';
import { writeTinyMnist } from './tiny-mnist.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** A folder with an Experiment, and an empty one for a volume. */
function laboratory() {
  const folder = temporaryFolder();
  const volume = join(folder, 'volume');
  mkdirSync(volume);
  writeTinyMnist(join(folder, 'mnist'), 300, 100);
  writeFileSync(
    join(folder, 'tiny.yaml'),
    `
apiVersion: destillml.io/v1alpha1
kind: Experiment
metadata: {name: tiny}
spec:
  dataset: {name: mnist, source: {directory: {path: mnist}}, imageSize: 16, validation: 60}
  teacher: {model: resnet8}
  students: [{name: small, model: resnet8}]
  training: {epochs: 1, batchSize: 20, schedule: {warmupEpochs: 0}}
`,
  );
  return { folder, volume };
}

/** What the command says, on one line, and what is left on the volume. */
function destillOn(
  mount: string,
  { folder, volume }: ReturnType<typeof laboratory>,
  ...args: readonly string[]
) {
  const list = join(folder, 'list');
  const [program, ...before] = withMounts(mount, `find ${volume} -type f > ${list}`);
  const { status, stderr } = spawnSync(program, [...before, process.execPath, main, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stderr).not.toContain('please report it');
  return { status, said: stderr.replaceAll(/\s+/g, ' '), left: readFileSync(list, 'utf8') };
}

describeWithMounts('destill (real mounts: needs root)', () => {
  it.each([
    [['run', 'tiny.yaml', '--output', 'volume/study']],
    [['train', '--dataset', 'mnist', '--model', 'resnet8', '--runs', 'volume']],
    [['dataset', 'mnist', '--source', 'mnist', '--validation', '60', '--out', 'volume/sheet.png']],
    [['report', 'study', '--out', 'volume/report.html']],
  ])('%j on a read-only volume says which, and exits with 1', (args) => {
    const lab = laboratory();
    finished(join(lab.folder, 'study'));
    const { status, said } = destillOn(`mount -t tmpfs -o ro tmpfs ${lab.volume}`, lab, ...args);
    expect(said).toMatch(/error: (\/\S+\/)?volume\S*: the volume at \S+\/volume is read-only\. Mount it/);
    expect(status).toBe(1);
  });

  // Room for the lock, for some files of the Experiment, for all but a checkpoint.
  it.each(['4k', '12k', '28k', '80k'])(
    'run on a volume of %s says that it is full, and exits with 1',
    (size) => {
      const lab = laboratory();
      const mount = `mount -t tmpfs -o size=${size} tmpfs ${lab.volume}`;
      const { status, said, left } = destillOn(
        mount,
        lab,
        'run',
        'tiny.yaml',
        '--output',
        'volume/study',
        '--plain',
      );
      expect(said).toMatch(
        /volume\/\S+: there is no room for it on the volume at \S+\/volume \(|not even the last word/,
      );
      expect(status).toBe(1);
      expect(left).not.toMatch(/\.part\n|\.aside\n|(?<!trainer\.)lock/);
    },
  );
});
