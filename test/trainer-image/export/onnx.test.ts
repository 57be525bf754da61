import { foldBatchNorm } from '@destillml/trainer/export/fold-batch-norm.ts';
import { inferenceGraph } from '@destillml/trainer/export/inference-graph.ts';
import { exportOnnx } from '@destillml/trainer/export/onnx.ts';
import { verifyOnnx } from '@destillml/trainer/export/verify-onnx.ts';
import { decodeModel } from '@destillml/trainer/storage/onnx-format.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { InferenceSession } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { cases, describeVariable } from '../models/reference.ts';
import { fresh, trainedLike } from './networks.ts';

const exported = trainedLike('resnet8', 16);
const parsed = (bytes: Uint8Array) => decodeModel(bytes, 'exported');
const counted = (bytes: Uint8Array) => {
  const counts: Record<string, number> = {};
  for (const { opType } of parsed(bytes).graph.node) counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
};

test('the file states opset, shapes with a free batch, and what its images must be', () => {
  const { opsetImport, metadataProps, producerName, graph } = parsed(exportOnnx(exported));
  expect(opsetImport).toEqual([{ version: 17 }]);
  expect(producerName).toBe('destillml');
  expect(Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))).toEqual({
    model: 'resnet8',
    classes: '100',
    imageSize: '16',
    parameters: String(cases.find(({ name }) => name === 'resnet8')!.parameters),
    mean: '[0.485,0.456,0.406]',
    deviation: '[0.229,0.224,0.225]',
    batchNorm: 'kept',
  });
  const sides = [...graph.input, ...graph.output].map(({ name, type }) => [
    name,
    ...type!.tensorType!.shape!.dim.map(({ dimParam, dimValue }) => dimParam ?? dimValue),
  ]);
  expect(sides).toEqual([
    ['images', 'batch', 3, 16, 16],
    ['logits', 'batch', 100],
    ['stage1', 'batch', 16, 16, 16],
    ['stage2', 'batch', 32, 8, 8],
    ['stage3', 'batch', 64, 4, 4],
  ]);
});

test('unfolded weights have the names and shapes of a PyTorch state dictionary', () => {
  const { initializer } = parsed(exportOnnx(exported)).graph;
  const described = initializer.map(({ name, dims }) => `${name}:${dims.join(',')}`);
  expect(described.sort()).toEqual(exported.network.variables.all.map(describeVariable).sort());
});

test('folding leaves no normalisation that follows a convolution', () => {
  expect(counted(exportOnnx(exported))).toMatchObject({ Conv: 9, BatchNormalization: 9, Gemm: 1 });
  expect(counted(exportOnnx(exported, { foldBatchNorm: true }))).toEqual({
    Conv: 9,
    Relu: 7,
    Add: 3,
    ReduceMean: 1,
    Gemm: 1,
  });
  // In a wide ResNet's six blocks the first normalisation follows a sum or is read twice; so does the one at the end.
  const wide = fresh('wrn-16-1', 16);
  const kept = counted(exportOnnx(wide)).BatchNormalization!;
  expect(kept).toBe(13);
  expect(counted(exportOnnx(wide, { foldBatchNorm: true })).BatchNormalization).toBe(7);
});

test('a convolution that something else reads keeps its weights', () => {
  const graph = inferenceGraph(exported.network, 16);
  const [first] = graph.nodes;
  const folded = foldBatchNorm({ ...graph, stages: [first!.output, ...graph.stages] });
  expect(folded.nodes.slice(0, 2)).toEqual(graph.nodes.slice(0, 2));
});

test('exporting leaves no tensor behind, and the network as it was', () => {
  const before = exported.network.variables.all.map(({ variable }) => Array.from(variable.dataSync()));
  const { numTensors } = tf.memory();
  exportOnnx(exported, { foldBatchNorm: true });
  expect(tf.memory().numTensors).toBe(numTensors);
  const after = exported.network.variables.all.map(({ variable }) => Array.from(variable.dataSync()));
  expect(after).toEqual(before);
});

test('a network that does something unknown is not exported', () => {
  const network = {
    ...exported.network,
    forward: (...given: Parameters<typeof exported.network.forward>) => {
      const { logits, stages } = exported.network.forward(...given);
      return { logits: tf.tanh(logits), stages };
    },
  };
  expect(() => exportOnnx({ ...exported, network })).toThrow(
    'a network asks for Tanh of [1, 100], which is not translated to ONNX',
  );
});

test('a file whose weights are not the network’s is found out, and one that is none', async () => {
  const bytes = exportOnnx(exported);
  const [scale] = exported.network.variables.all.filter(({ kind }) => kind === 'scale');
  tf.tidy(() => scale!.variable.assign(tf.mul(scale!.variable, 1.001)));
  await expect(verifyOnnx(bytes, exported, { images: 8 })).rejects.toMatchObject({
    code: 'CheckpointUnusable',
    message: expect.stringMatching(/^logits of the exported file is off by [\d.e-]+ of its largest value/),
  });
  await expect(verifyOnnx(bytes.slice(0, 1000), exported)).rejects.toThrow('onnxruntime cannot read');
});

test('onnxruntime knows the outputs by name', async () => {
  const session = await InferenceSession.create(exportOnnx(exported));
  expect(session.inputNames).toEqual(['images']);
  expect(session.outputNames).toEqual(['logits', 'stage1', 'stage2', 'stage3']);
  await session.release();
});
