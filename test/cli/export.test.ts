import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeModel } from '@destillml/trainer/storage/onnx-format.ts';
import { expect, test } from 'vitest';
import { destillProcess } from './destill.ts';
import { temporaryFolder } from './temporary.ts';
import { writeTinyMnist } from './tiny-mnist.ts';

test('a trained network becomes a checked ONNX file; what is not there is told in a sentence', async () => {
  const folder = temporaryFolder();
  writeTinyMnist(join(folder, 'mnist'), 200, 100);
  const images = ['--source', 'mnist', '--image-size', '16', '--validation', '20'];
  const recipe = ['--batch-size', '20', '--learning-rate', '0.05', '--epochs', '1'];
  const named = ['--dataset', 'mnist', '--model', 'resnet8', '--name', 'small'];
  const trained = await destillProcess(folder, ['train', ...named, ...images, ...recipe]);
  expect(trained, trained.stderr).toMatchObject({ code: 0 });

  const { code, stdout, stderr } = await destillProcess(folder, [
    'export',
    'small',
    '--out',
    'small.onnx',
    '--fold',
  ]);
  expect(code, stderr).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toEqual([
    'version        small (resnet8)',
    'file           small.onnx, 0.3 MB, opset 17',
    'input          images [batch, 3, 16, 16]',
    'outputs        logits, stage1, stage2, stage3',
    expect.stringMatching(/^largest error {2}\d\.\de-\d+ of an output's largest value$/),
  ]);
  const { graph } = decodeModel(readFileSync(join(folder, 'small.onnx')), 'small.onnx');
  expect(graph.node.some(({ opType }) => opType === 'BatchNormalization')).toBe(false);

  const missing = await destillProcess(folder, ['export', 'smal', '--out', 'no.onnx']);
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('There is no version smal');
  expect(existsSync(join(folder, 'no.onnx'))).toBe(false);
});
