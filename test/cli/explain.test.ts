import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explanations } from '../../src/results/explanations.ts';
import { artifactFiles } from '../../trainer-image/artifacts/files.ts';
import { readTensors, writeTensors } from '../../trainer-image/storage/safetensors.ts';
import { destillProcess } from './destill.ts';
import { writeTinyMnist } from './tiny-mnist.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'destill-test-'));
  writeTinyMnist(join(folder, 'mnist'), 300, 100);
  const images = ['--source', 'mnist', '--image-size', '16', '--validation', '60'];
  const recipe = ['--batch-size', '20', '--learning-rate', '0.05', '--epochs', '2'];
  await ok('train', '--dataset', 'mnist', '--model', 'resnet14', '--name', 'teacher', ...images, ...recipe);
  await ok(
    'distill',
    '--teacher',
    'teacher',
    '--student',
    'resnet8',
    '--technique',
    'hints=10',
    '--name',
    'small',
  );
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const explained = (...args: readonly string[]) => destillProcess(folder, ['explain', ...args]);

/** What was said, as if no line had been wrapped. */
const unwrapped = ({ stderr }: { readonly stderr: string }) => stderr.replaceAll(/\s+/g, ' ');

async function ok(...args: readonly string[]) {
  const ended = await destillProcess(folder, args);
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return ended;
}

test('networks explain the same test images: pictures, maps, and how alike they are', async () => {
  const { stdout, stderr } = await ok(
    'explain',
    'teacher',
    'small',
    '--images',
    '4',
    '--faithfulness',
    '--sanity',
  );
  const spread = String.raw`−?\d\.\d\d ± \d\.\d\d`;
  const measured = String.raw`\d\.\d\d \(\d\.\d\d\)`;
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(11);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines[1]).toBe('teacher');
  expect(lines[2]).toMatch(new RegExp(`^ {2}Grad-CAM +${measured} +${measured}$`));
  expect(lines[6]).toBe('small');
  for (const [index, name] of ['Grad-CAM', 'LIME', 'Expected gradients', 'Kernel SHAP'].entries()) {
    expect(lines[7 + index]).toMatch(
      new RegExp(`^ {2}${name} +${spread} +${spread} +${measured} +${measured}$`),
    );
  }
  expect(stderr).toContain('small: faithfulness, 40 of 40');

  const out = join(folder, 'explanations');
  expect(readdirSync(join(out, 'figures'))).toEqual(['000.png', '001.png', '002.png', '003.png']);
  const { images, networks, classes, seconds, sanity } = JSON.parse(
    readFileSync(join(out, 'explanations.json'), 'utf8'),
  );
  expect(networks.map(({ name }: { name: string }) => name)).toEqual(['teacher', 'small']);
  // As reports read it.
  const [first, second] = explanations.parse({ images, networks, classes, seconds, sanity }).networks;
  expect(first?.agreement).toEqual({});
  expect(Object.keys(sanity)).toEqual(Object.keys(first?.quality ?? {}));
  expect(seconds).toBeGreaterThan(0);
  expect(Object.keys(second?.agreement ?? {})).toEqual(Object.keys(first?.quality ?? {}));
  expect(classes).toHaveLength(10);
  // Four images of ten classes: of four classes.
  expect(new Set(images.map(({ label }: { label: number }) => label)).size).toBe(4);
});

test('one explains an image file, for a class', async () => {
  const file = join(import.meta.dirname, '../fixtures/explain-photo-32.png');
  const { stdout } = await ok(
    'explain',
    'small',
    '--file',
    file,
    '--class',
    '3',
    '--method',
    'gradCam',
    '--out',
    'one',
  );
  expect(stdout).toBe('\nsmall\n  Grad-CAM\n');
  const { images, networks } = JSON.parse(readFileSync(join(folder, 'one/explanations.json'), 'utf8'));
  expect(images).toEqual([{ name: 'explain-photo-32.png' }]);
  expect(networks[0].explanations[0].target).toBe(3);
});

test('an image file is explained where only pods can read the data set, its classes by their numbers', async () => {
  const version = join(folder, 'destill-runs/versions/in-cluster');
  cpSync(join(folder, 'destill-runs/versions/small'), version, { recursive: true });
  const run = JSON.parse(readFileSync(join(version, 'run.json'), 'utf8'));
  run.metadata.name = 'in-cluster';
  run.spec.parameters.dataset.source = { persistentVolumeClaim: { claimName: 'images', path: 'mnist' } };
  writeFileSync(join(version, 'run.json'), JSON.stringify(run));
  const file = join(import.meta.dirname, '../fixtures/explain-photo-32.png');
  const asked = ['in-cluster', '--file', file, '--method', 'gradCam', '--out', 'in-cluster'];

  const { stdout, stderr } = await ok('explain', ...asked, '--class', '3');
  expect(stderr).toContain('Class names are not known: ');
  expect(stderr).toContain('the claim images is not mounted here');
  expect(stdout).toBe('\nin-cluster\n  Grad-CAM\n');
  const { classes, networks } = JSON.parse(
    readFileSync(join(folder, 'in-cluster/explanations.json'), 'utf8'),
  );
  expect(classes).toEqual([]);
  expect(networks[0].explanations[0].target).toBe(3);

  const beyond = await explained(...asked, '--class', '10');
  expect(unwrapped(beyond)).toContain('The network has the classes 0 to 9.');
  const named = await explained(...asked, '--class', 'cat');
  expect(unwrapped(named)).toContain(
    '--class cat: a number, because class names are not known; or prediction',
  );
});

test('networks of other classes or image sizes are not compared', async () => {
  const made = (name: string, change: object) => {
    const version = join(folder, 'destill-runs/versions', name);
    cpSync(join(folder, 'destill-runs/versions/small'), version, { recursive: true });
    const path = join(version, artifactFiles.best);
    const { metadata } = readTensors(path);
    const network = JSON.stringify({ ...JSON.parse(metadata.network ?? ''), ...change });
    writeTensors(path, { tensors: new Map(), metadata: { ...metadata, network } });
  };
  made('of-five', { classes: 5 });
  made('of-32-px', { imageSize: 32 });
  const classes = await explained('teacher', 'of-five');
  expect(unwrapped(classes)).toContain(
    'teacher knows 10 classes, of-five 5: explain networks of the same classes',
  );
  const sizes = await explained('teacher', 'of-32-px');
  expect(unwrapped(sizes)).toContain(
    'teacher sees images of 16 px, of-32-px of 32 px: explain networks of one',
  );
  expect([classes.code, sizes.code]).toEqual([2, 2]);
});

test('a mistake is told in a sentence, and nothing is written', async () => {
  const said = async (...args: readonly string[]) => {
    const { code, stderr } = await explained(...args, '--out', 'nothing');
    expect(code).not.toBe(0);
    expect(stderr).not.toContain('    at ');
    return stderr;
  };
  expect(await said('small', '--class', 'cat')).toContain('--class cat: the classes are 0, 1, 2, 3');
  expect(await said('smal')).toContain('small');
  expect(await said('small', '--file', 'nowhere.png')).toContain('nowhere.png');
  expect(await said('small', '--stage', '9')).toContain('small has no stage 9. Its stages are 1 to 3.');
  expect(existsSync(join(folder, 'nothing'))).toBe(false);
});
