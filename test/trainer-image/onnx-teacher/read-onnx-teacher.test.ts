import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportOnnx } from '@destillml/trainer/export/onnx.ts';
import type { Features, Network } from '@destillml/trainer/models/network.ts';
import { readOnnxFile } from '@destillml/trainer/onnx-teacher/file.ts';
import {
  type OnnxTeacherOptions,
  readOnnxTeacher,
} from '@destillml/trainer/onnx-teacher/read-onnx-teacher.ts';
import { decodeModel, encodeModel, type OnnxModel } from '@destillml/trainer/storage/onnx-format.ts';
import { type Tensor, type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { expect, test } from 'vitest';
import { trainedLike } from '../export/networks.ts';
import { temporaryFolder } from '../training/run.ts';
import { expected, fixturePath, images, options } from './fixture.ts';

/** Absolute; values are about 1. 8e-7 was measured. */
const tolerance = 1e-4;

function outputsOf(network: Network, x: Tensor4D): Record<string, Float32Array> {
  return tf.tidy(() => named(network.forward(x, false)));
}

/** In PyTorch's layout. */
function named({ logits, stages }: Features): Record<string, Float32Array> {
  const planes = stages.map((stage, index) => [`stage${index + 1}`, values(stage.transpose([0, 3, 1, 2]))]);
  return { logits: values(logits), ...Object.fromEntries(planes) };
}

const values = (tensor: Tensor) => Float32Array.from(tensor.dataSync());

function largestError(found: Float32Array, wanted: ArrayLike<number>): number {
  expect(found).toHaveLength(wanted.length);
  return found.reduce((most, value, index) => Math.max(most, Math.abs(value - wanted[index]!)), 0);
}

test.each(['traced', 'captured'])('a network %s by PyTorch computes what it does in PyTorch', (how) => {
  const teacher = readOnnxTeacher(fixturePath(how), options);
  const found = outputsOf(teacher, images());
  expect(Object.keys(found)).toEqual(['logits', 'stage1', 'stage2']);
  for (const [name, output] of Object.entries(found)) {
    expect(largestError(output, expected.outputs[name]!.values), name).toBeLessThan(tolerance);
  }
  teacher.variables.dispose();
});

test.each(['resnet8', 'wrn-16-1', 'vgg8', 'mobilenet-v2'] as const)(
  'an exported %s is a teacher again',
  (model) => {
    const exported = trainedLike(model, 16);
    const x = tf.randomNormal([3, 16, 16, 3], 0, 1, 'float32', 1) as Tensor4D;
    const wanted = outputsOf(exported.network, x);
    for (const foldBatchNorm of [false, true]) {
      const teacher = readOnnxTeacher(exportOnnx(exported, { foldBatchNorm }), {
        classes: 100,
        imageSize: 16,
      });
      const found = outputsOf(teacher, x);
      expect(Object.keys(found)).toEqual(Object.keys(wanted));
      for (const [name, output] of Object.entries(found)) {
        expect(largestError(output, wanted[name]!), name).toBeLessThan(tolerance);
      }
      teacher.variables.dispose();
    }
  },
);

test('features are what is named, outputs or not', () => {
  const teacher = readOnnxTeacher(fixturePath('traced'), {
    ...options,
    features: ['/Concat_output_0', 'stage2'],
  });
  const { stages } = teacher.forward(images(), false);
  expect(stages.map(({ shape }) => shape.slice(1))).toEqual([
    [8, 8, 48],
    [4, 4, 24],
  ]);
  const none = readOnnxTeacher(fixturePath('traced'), { ...options, features: [], logits: 'logits' });
  expect(none.forward(images(), false).stages).toEqual([]);
});

test('a forward pass leaves no tensor behind', () => {
  const teacher = readOnnxTeacher(fixturePath('captured'), options);
  const x = images();
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    teacher.forward(x, false);
  });
  expect(tf.memory().numTensors).toBe(before);
});

test('a teacher that is refused leaves no tensor behind', () => {
  const before = tf.memory().numTensors;
  refused(fixturePath('traced'), { classes: 100 });
  expect(tf.memory().numTensors).toBe(before);
});

test('weights may be in a file beside the graph', () => {
  const folder = temporaryFolder();
  const model = fixtureModel('captured');
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const initializer = model.graph.initializer.map(({ rawData, ...tensor }) => {
    if (rawData === undefined) return tensor;
    const { length } = rawData;
    const where = { location: 'teacher.data', offset: String(offset), length: String(length) };
    chunks.push(rawData);
    offset += length;
    return {
      ...tensor,
      dataLocation: 1,
      externalData: Object.entries(where).map(([key, value]) => ({ key, value })),
    };
  });
  const bytes = encodeModel({ ...model, graph: { ...model.graph, initializer } });
  writeFileSync(join(folder, 'teacher.onnx'), bytes);
  writeFileSync(join(folder, 'teacher.data'), Buffer.concat(chunks));

  const found = outputsOf(readOnnxTeacher(join(folder, 'teacher.onnx'), options), images());
  expect(largestError(found.logits!, expected.outputs.logits!.values)).toBeLessThan(tolerance);
  expect(refused(bytes)).toMatch(
    /node ".+" \(Conv\) reads the weight ".+", which is in another file, teacher\.data/,
  );

  const file = readOnnxFile(join(folder, 'teacher.onnx'));
  const beside = initializer.filter(({ name, dims }) => name !== '' && dims.length === 4);
  const [one, other] = [beside.at(0), beside.at(-1)];
  const read = ({ name }: { name: string }) => {
    return file.stored(name, (what) => {
      throw new Error(what);
    });
  };
  read(one!);
  writeFileSync(join(folder, 'teacher.data'), Buffer.concat(chunks).subarray(100));
  // The file beside was read as a whole, once.
  expect(read(other!)).toMatchObject({ kind: 'weight', name: other!.name });
  expect(refused(join(folder, 'teacher.onnx'))).toContain('is cut off in teacher.data');

  rmSync(join(folder, 'teacher.data'));
  expect(refused(join(folder, 'teacher.onnx'), { source: 's3://lab/teacher.onnx' })).toMatch(
    /^TeacherMissing: The teacher s3:\/\/lab\/teacher.onnx keeps weights in teacher.data, which cannot be read: ENOENT/,
  );
});

test.each<[string, (model: OnnxModel) => OnnxModel, RegExp]>([
  [
    'an unknown operator',
    changed('project', { opType: 'Einsum' }),
    /node "\/project\/Conv" \(Einsum\) is not supported; these are: Add, AveragePool, /,
  ],
  [
    'an operator of somebody else',
    changed('project', { domain: 'com.microsoft' }),
    /node "\/project\/Conv" \(Conv\) is not supported/,
  ],
  ['dilation', withInts('wide', 'dilations', [2, 2]), /node "\/wide\/Conv" \(Conv\) is dilated/],
  [
    'unequal strides',
    withInts('grouped', 'strides', [2, 1]),
    /node "\/grouped\/Conv" \(Conv\) has different strides/,
  ],
  [
    'another number of channels',
    changed('project', { input: ['stage1', 'project.weight', 'project.bias'] }),
    /node "\/project\/Conv" \(Conv\) has filters for 48 channels, its input has 32/,
  ],
  [
    'an input that is nowhere',
    changed('project', { input: ['nowhere', 'project.weight'] }),
    /node "\/project\/Conv" \(Conv\) reads "nowhere", which nothing before it computes/,
  ],
  [
    'a mean over channels',
    withInts('squeeze/GlobalAveragePool', 'axes', [1], 'ReduceMean'),
    /\(ReduceMean\) takes a mean that is not over the positions/,
  ],
  [
    'a weight of half precision',
    withType('project.weight', 10),
    /node "\/project\/Conv" \(Conv\) reads the weight "project\.weight", which has values of data type 10/,
  ],
  ...[Number.NaN, Number.NEGATIVE_INFINITY].map(
    (value): [string, (model: OnnxModel) => OnnxModel, RegExp] => [
      `a weight that is ${value}`,
      withValue('project.weight', value),
      new RegExp(
        `reads the weight "project\\.weight", which holds a value that is ${value}: the file is damaged`,
      ),
    ],
  ),
  [
    'an old operator set',
    (model) => ({ ...model, opsetImport: [{ version: 6 }] }),
    /operator set 6: only 7 and later/,
  ],
])('%s is refused with the name of the node', (_, change, message) => {
  const said = refused(encodeModel(change(fixtureModel('traced'))));
  expect(said).toMatch(/^CheckpointUnusable: /);
  expect(said).toMatch(message);
});

test.each<[string, Partial<OnnxTeacherOptions>, string]>([
  ['other classes', { classes: 100 }, 'gives [batch, 10] as "logits"; the data set has 100 classes'],
  ['other images', { imageSize: 32 }, 'takes [any, 3, 16, 16]; the images are [batch, 3, 32, 32]'],
  [
    'features that are not there',
    { features: ['layer1'] },
    'computes nothing called "layer1". Its outputs are logits, stage1, stage2.',
  ],
  [
    'features that are no maps',
    { features: ['/Reshape_output_0'] },
    'has no maps [batch, channels, height, width] under the name',
  ],
  ['no deviation', { normalisation: { mean: [0, 0, 0], deviation: [0, 1, 1] } }, 'three deviations above 0'],
])('a teacher for %s is an invalid spec', (_, wrong, message) => {
  const said = refused(fixturePath('traced'), wrong);
  expect(said).toMatch(/^InvalidSpec: /);
  expect(said).toContain(message);
});

test('what is no file, and no ONNX file, is said to be none', () => {
  expect(refused('/nowhere/teacher.onnx')).toMatch(
    /^TeacherMissing: The teacher \/nowhere\/teacher.onnx cannot be read/,
  );
  expect(refused('/nowhere/teacher.onnx', { source: 's3://lab/teacher.onnx' })).toMatch(
    /^TeacherMissing: The teacher s3:\/\/lab\/teacher.onnx cannot be read: ENOENT/,
  );
  expect(refused(Buffer.from('hello'))).toBe(
    'CheckpointUnusable: the ONNX file is not an ONNX file, or not a whole one.',
  );
  expect(refused(readFileSync(fixturePath('traced')).subarray(0, 9000))).toMatch(/^CheckpointUnusable: /);
});

test('a batch that was fixed when the file was made is noticed', () => {
  const fixed = changed('Reshape', { input: ['/AveragePool_output_0', 'fixed'] });
  const model = fixed(fixtureModel('traced'));
  const shape = { name: 'fixed', dims: [2], dataType: 7, int64Data: [1, 96] };
  const initializer = [...model.graph.initializer, shape];
  const said = refused(encodeModel({ ...model, graph: { ...model.graph, initializer } }));
  expect(said).toContain('node "/Reshape" (Reshape) makes [1, 96] of [2, 24, 2, 2]; if the batch is fixed');
});

function fixtureModel(how: string): OnnxModel {
  return decodeModel(readFileSync(fixturePath(how)), how);
}

/** Changes the node of a module. */
function changed(module: string, change: object) {
  return (model: OnnxModel): OnnxModel => {
    const node = model.graph.node.map((one) =>
      one.name.startsWith(`/${module}`) ? { ...one, ...change } : one,
    );
    return { ...model, graph: { ...model.graph, node } };
  };
}

/** Gives the node of a module an attribute of whole numbers. */
function withInts(module: string, name: string, ints: readonly number[], opType?: string) {
  return (model: OnnxModel): OnnxModel => {
    const { attribute } = model.graph.node.find((node) => node.name.startsWith(`/${module}`))!;
    const others = attribute.filter((one) => one.name !== name);
    const change = { attribute: [...others, { name, type: 7, ints }], ...(opType && { opType }) };
    return changed(module, change)(model);
  };
}

/** Says that a weight has another data type. */
function withType(name: string, dataType: number) {
  return (model: OnnxModel): OnnxModel => {
    const initializer = model.graph.initializer.map((one) =>
      one.name === name ? { ...one, dataType } : one,
    );
    return { ...model, graph: { ...model.graph, initializer } };
  };
}

/** Puts a number into a weight. */
function withValue(name: string, value: number) {
  return (model: OnnxModel): OnnxModel => {
    const initializer = model.graph.initializer.map((one) => {
      if (one.name !== name) return one;
      const rawData = Buffer.from(one.rawData!);
      rawData.writeFloatLE(value, 8);
      return { ...one, rawData };
    });
    return { ...model, graph: { ...model.graph, initializer } };
  };
}

/** Code and message of the error. */
function refused(given: string | Uint8Array, changes: Partial<OnnxTeacherOptions> = {}): string {
  try {
    readOnnxTeacher(given, { ...options, ...changes });
  } catch (error) {
    return String(error);
  }
  throw new Error('nothing was refused');
}
