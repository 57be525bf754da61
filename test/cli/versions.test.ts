import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixturePath } from '../trainer-image/onnx-teacher/fixture.ts';
import { destillProcess } from './destill.ts';
import { temporaryFolder } from './temporary.ts';
import { writeTinyMnist } from './tiny-mnist.ts';

const recipe = ['--batch-size', '20', '--learning-rate', '0.05'];
const images = ['--source', 'mnist', '--image-size', '16', '--validation', '60'];

test('the steps of the study one at a time: look, train, go on, list, distil, evaluate', async () => {
  const folder = temporaryFolder();
  writeTinyMnist(join(folder, 'mnist'), 300, 100);
  const ok = async (...args: readonly string[]) => {
    const ended = await destillProcess(folder, args);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    return ended.stdout;
  };

  const looked = await ok('dataset', 'mnist', ...images, '--out', 'sheet.png', '--augment', 'augmented.png');
  expect(looked).toMatch(/^train +240 images, \d+ to \d+ of each class$/m);
  expect(looked).toMatch(/^images +16 × 16 px, 10 classes$/m);
  for (const picture of ['sheet.png', 'augmented.png']) {
    expect(readFileSync(join(folder, picture)).subarray(1, 4).toString()).toBe('PNG');
  }

  const trained = await ok(
    'train',
    '--dataset',
    'mnist',
    '--model',
    'resnet14',
    '--epochs',
    '1',
    ...images,
    ...recipe,
  );
  expect(trained).toMatch(/^test accuracy +\d+\.\d %$/m);
  expect(trained).toMatch(/^parameters +0\.18 M$/m);
  expect(await ok('train', '--continue', 'mnist-resnet14-1', '--epochs', '2')).toMatch(/\(epoch \d of 2\)/);

  await ok(
    'distill',
    '--teacher',
    'mnist-resnet14-1',
    '--student',
    'resnet8',
    '--technique',
    'hints=10',
    '--name',
    'small',
  );
  // The same from a file, with the recipe of an Experiment.
  copyFileSync(fixturePath('traced'), join(folder, 'big.onnx'));
  const study = {
    dataset: { name: 'mnist', source: { directory: { path: 'mnist' } }, imageSize: 16, validation: 60 },
    training: { epochs: 1, batchSize: 20 },
  };
  writeFileSync(join(folder, 'study.yaml'), JSON.stringify(study));
  const fromFile = ['--teacher', 'big.onnx', '--from', 'study.yaml', '--student', 'resnet8'];
  await ok(
    'distill',
    ...fromFile,
    '--technique',
    'soft-targets',
    '--technique',
    'attention-transfer',
    '--teacher-feature',
    'stage1',
    'stage2',
  );
  const listed = await ok('versions');
  expect(listed).toMatch(/^ {2}mnist-resnet8-soft-targets-attention-transfer-1 +resnet8 +distilled +1\/1 /m);
  expect(listed).toMatch(
    /^ {2}mnist-resnet14-1 +resnet14 +teacher +2\/2 +\d+\.\d +\d+\.\d +\d{4}-\d\d-\d\d$/m,
  );
  expect(listed).toMatch(/^ {2}small +resnet8 +distilled +2\/2 /m);

  const { result } = JSON.parse(
    readFileSync(join(folder, 'destill-runs/versions/small/result.json'), 'utf8'),
  );
  const evaluated = await ok('evaluate', 'small');
  expect(evaluated).toContain('split           test, 100 images');
  expect(evaluated).toContain(`top-1 accuracy  ${(100 * result.testAccuracy).toFixed(1)} %`);
  expect(await ok('evaluate', 'small', '--split', 'validation')).toContain(
    `top-1 accuracy  ${(100 * result.validationAccuracy).toFixed(1)} %`,
  );
  expect(existsSync(join(folder, 'destill-runs/versions/small/lock'))).toBe(false);
}, 300_000);
