import { readOnnxTeacher } from '@destillml/trainer/onnx-teacher/read-onnx-teacher.ts';
import {
  dataTypes,
  encodeModel,
  float,
  int,
  ints,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  text,
} from '@destillml/trainer/storage/onnx-format.ts';
import { type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { InferenceSession, Tensor as OnnxRuntimeTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { filled } from '../models/filled.ts';

const [batch, size, classes] = [2, 9, 5];

/** What comes between the images and `maps`, from which pooling and a matrix make the logits. */
interface Part {
  readonly nodes: readonly OnnxNode[];
  readonly stored?: readonly OnnxTensor[];
  /** Of the maps. */
  readonly channels?: number;
}

const window = (side: number, stride: number) => [
  ints('kernel_shape', [side, side]),
  ints('strides', [stride, stride]),
];
const filter = weight('filter', [6, 3, 3, 3]);

const parts: Record<string, Part> = {
  'Conv with SAME_UPPER': {
    nodes: [node('Conv', ['images', 'filter'], [...window(4, 2), text('auto_pad', 'SAME_UPPER')])],
    stored: [weight('filter', [4, 3, 4, 4])],
    channels: 4,
  },
  'Conv with SAME_LOWER': {
    nodes: [node('Conv', ['images', 'filter'], [...window(4, 1), text('auto_pad', 'SAME_LOWER')])],
    stored: [weight('filter', [4, 3, 4, 4])],
    channels: 4,
  },
  'Conv padded on two sides': {
    nodes: [node('Conv', ['images', 'filter'], [...window(3, 2), ints('pads', [0, 0, 1, 2])])],
    stored: [filter],
    channels: 6,
  },
  'Conv in three groups': {
    nodes: [node('Conv', ['images', 'filter'], [...window(3, 1), int('group', 3)])],
    stored: [weight('filter', [6, 1, 3, 3])],
    channels: 6,
  },
  'BatchNormalization with another epsilon': {
    nodes: [node('BatchNormalization', ['images', 's', 'b', 'm', 'v'], [float('epsilon', 0.01)])],
    stored: [
      weight('s', [3]),
      weight('b', [3]),
      weight('m', [3]),
      { ...weight('v', [3]), rawData: bytes([0.1, 1, 2]) },
    ],
  },
  'MaxPool padded unevenly': {
    nodes: [node('MaxPool', ['images'], [...window(2, 2), ints('pads', [0, 0, 1, 1])])],
  },
  'MaxPool in ceil mode, with a window that is cut': {
    nodes: [node('MaxPool', ['images'], [...window(2, 2), int('ceil_mode', 1)])],
  },
  'MaxPool in ceil mode, padded, with a window that would start in the padding': {
    nodes: [
      node('MaxPool', ['images'], [...window(2, 2), ints('pads', [1, 1, 1, 1]), int('ceil_mode', 1)], 'a'),
      node('MaxPool', ['a'], [...window(3, 3), ints('pads', [0, 0, 1, 1]), int('ceil_mode', 1)]),
    ],
  },
  'MaxPool in ceil mode, with whole windows': {
    nodes: [node('MaxPool', ['images'], [...window(3, 2), int('ceil_mode', 1)])],
  },
  'AveragePool with padding counted': {
    nodes: [
      node(
        'AveragePool',
        ['images'],
        [...window(3, 2), ints('pads', [1, 1, 1, 1]), int('count_include_pad', 1)],
      ),
    ],
  },
  'AveragePool of oblong windows': {
    nodes: [node('AveragePool', ['images'], [ints('kernel_shape', [3, 2]), ints('strides', [1, 1])])],
  },
  GlobalMaxPool: { nodes: [node('GlobalMaxPool', ['images'])] },
  Pad: {
    nodes: [node('Pad', ['images', 'pads', 'value'])],
    stored: [whole('pads', [0, 0, 1, 0, 0, 0, 2, 3]), weight('value', [])],
  },
  'Elu, Tanh, Sigmoid': {
    nodes: [node('Elu', ['images'], [], 'a'), node('Tanh', ['a'], [], 'b'), node('Sigmoid', ['b'])],
  },
  'HardSigmoid, HardSwish, LeakyRelu by default': {
    nodes: [
      node('HardSwish', ['images'], [], 'a'),
      node('LeakyRelu', ['a'], [], 'b'),
      node('HardSigmoid', ['b']),
    ],
  },
  'Clip without an upper limit': {
    nodes: [node('Clip', ['images', 'low'])],
    stored: [{ ...weight('low', []), rawData: bytes([-0.25]) }],
  },
  'Sub, Div, Mul, Add of channels, a number and an image': {
    nodes: [
      node('Sub', ['images', 'channel'], [], 'a'),
      node('Div', ['a', 'one'], [], 'b'),
      node('Mul', ['number', 'b'], [], 'c'),
      node('Add', ['c', 'whole']),
    ],
    stored: [
      weight('channel', [3, 1, 1]),
      { ...weight('one', [1]), rawData: bytes([3]) },
      weight('number', []),
      weight('whole', [1, 3, size, size]),
    ],
  },
  'Concat, Identity, Dropout': {
    nodes: [
      node('Identity', ['images'], [], 'a'),
      node('Dropout', ['images'], [], 'b'),
      node('Concat', ['a', 'b'], [int('axis', -3)]),
    ],
    channels: 6,
  },
  'squeeze and excitation over rank 2': {
    nodes: [
      node('ReduceMean', ['images'], [ints('axes', [-2, -1]), int('keepdims', 0)], 'a'),
      node('MatMul', ['a', 'matrix'], [], 'b'),
      node('Add', ['b', 'row'], [], 'c'),
      node('Unsqueeze', ['c', 'axes'], [], 'd'),
      node('Mul', ['images', 'd']),
    ],
    stored: [weight('matrix', [3, 3]), weight('row', [3]), whole('axes', [2, 3])],
  },
  'Squeeze and Reshape to one cell': {
    nodes: [
      node('GlobalAveragePool', ['images'], [], 'a'),
      node('Squeeze', ['a', 'axes'], [], 'b'),
      node('Reshape', ['b', 'shape'], [], 'c'),
      node('Add', ['images', 'c']),
    ],
    stored: [whole('axes', [2, 3]), whole('shape', [0, -1, 1, 1])],
  },
};

test.each(Object.entries(parts))(
  '%s, as onnxruntime computes it',
  async (_, { nodes, stored = [], channels = 3 }) => {
    const ending = [
      node('GlobalAveragePool', ['maps'], [], 'pooled'),
      node('Flatten', ['pooled'], [], 'flat'),
      node('Gemm', ['flat', 'fc', 'bias'], [], 'logits'),
    ];
    const model = encodeModel({
      irVersion: 8,
      producerName: 'test',
      producerVersion: '',
      opsetImport: [{ version: 17 }],
      metadataProps: [],
      graph: {
        name: 'test',
        node: [...nodes, ...ending],
        initializer: [...stored, weight('fc', [channels, classes]), weight('bias', [classes])],
        input: [info('images', [batch, 3, size, size])],
        output: [info('logits'), info('maps')],
      },
    });
    const planes = filled('planes', batch * 3 * size * size, 2);
    const session = await InferenceSession.create(model);
    const wanted = await session.run({
      images: new OnnxRuntimeTensor('float32', planes, [batch, 3, size, size]),
    });
    await session.release();

    const teacher = readOnnxTeacher(model, { classes, imageSize: size, features: ['maps'] });
    tf.tidy(() => {
      const images = tf.tensor4d(planes, [batch, 3, size, size]).transpose([0, 2, 3, 1]) as Tensor4D;
      const { logits, stages } = teacher.forward(images, false);
      const found = { logits, maps: stages[0]!.transpose([0, 3, 1, 2]) };
      for (const [name, tensor] of Object.entries(found)) {
        expect(tensor.shape, name).toEqual(wanted[name]!.dims);
        const expected = wanted[name]!.data as Float32Array;
        const errors = tensor.dataSync().map((value, index) => Math.abs(value - expected[index]!));
        expect(Math.max(...errors), name).toBeLessThan(1e-5);
      }
    });
  },
);

function node(
  opType: string,
  input: readonly string[],
  attribute: readonly OnnxAttribute[] = [],
  output = 'maps',
) {
  return { name: output, opType, input, output: [output], attribute };
}

function weight(name: string, dims: readonly number[]): OnnxTensor {
  const count = dims.reduce((product, side) => product * side, 1);
  return { name, dims, dataType: dataTypes.float, rawData: bytes([...filled(name, count, 0.5)]) };
}

function whole(name: string, values: readonly number[]): OnnxTensor {
  return { name, dims: [values.length], dataType: dataTypes.int64, int64Data: values };
}

function bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function info(name: string, sides?: readonly number[]) {
  const shape = sides && { dim: sides.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: dataTypes.float, ...(shape && { shape }) } } };
}
