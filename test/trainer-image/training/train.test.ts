import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import { artifactFiles } from '@destillml/trainer/artifacts/files.ts';
import { readHistory } from '@destillml/trainer/artifacts/history.ts';
import { resultDocument } from '@destillml/trainer/artifacts/result.ts';
import { splitTrain } from '@destillml/trainer/data/splits.ts';
import type { Observation } from '@destillml/trainer/metrics/observation.ts';
import { decodeModel, encodeModel } from '@destillml/trainer/storage/onnx-format.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, test } from 'vitest';
import { fixturePath } from '../onnx-teacher/fixture.ts';
import { digest, smallDataset, smallRun, temporaryFolder, trainSmall } from './run.ts';

/** Steps of a small run: 160 images in batches of 48, three epochs. */
const steps = 4 * 3;

/** A signal that is raised in the course of the step of that number. */
function stopAtStep(count: number) {
  const controller = new AbortController();
  let begun = 0;
  return {
    signal: controller.signal,
    report: () => undefined,
    observe: ({ kind }: Observation) => {
      if (kind === 'step' && ++begun >= count) controller.abort();
    },
  };
}

/** The teacher of the fixtures with its logits as the only output. */
function withoutStages(): string {
  const path = join(temporaryFolder(), 'teacher.onnx');
  const model = decodeModel(readFileSync(fixturePath('traced')), 'traced');
  const output = model.graph.output.filter(({ name }) => name === 'logits');
  writeFileSync(path, encodeModel({ ...model, graph: { ...model.graph, output } }));
  return path;
}

describe('a Run that was interrupted', () => {
  test('at random steps, again and again, ends with the weights of one that was not, bit for bit', async () => {
    const whole = smallRun({ artifacts: temporaryFolder() });
    await trainSmall(whole);

    const broken = smallRun({ artifacts: temporaryFolder() });
    const stops: string[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const { outcome } = await trainSmall(broken, stopAtStep(1 + Math.floor(Math.random() * 5)));
      if (outcome.outcome !== 'preempted') break;
      stops.push(`epoch ${outcome.epoch} step ${outcome.step}`);
    }
    expect(stops.length).toBeGreaterThan(0);
    const { outcome } = await trainSmall(broken);
    expect(outcome.outcome).toBe('succeeded');
    for (const which of ['last', 'best'] as const) {
      expect(digest(broken.artifacts, which), `${which} after ${stops.join(', ')}`).toBe(
        digest(whole.artifacts, which),
      );
    }
    const timeless = (artifacts: string) =>
      readHistory(artifacts).map(({ seconds, imagesPerSecond, ...record }) => record);
    expect(timeless(broken.artifacts)).toEqual(timeless(whole.artifacts));
  });

  test('reports what was reached and goes on from there', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    const { outcome } = await trainSmall(run, stopAtStep(5));
    expect(outcome.outcome).toBe('preempted');
    const { reports } = await trainSmall(run);
    expect(reports[0]).toEqual({
      kind: 'note',
      message: expect.stringMatching(/^Going on from epoch \d, step \d\.$/),
    });
  });
});

test('a Run that dies while it writes down an epoch loses no epoch of its history', async () => {
  const run = smallRun({ artifacts: temporaryFolder() });
  const history = join(run.artifacts, artifactFiles.history);
  const failure = await trainSmall(run, {
    // A folder in its place: the record of the first epoch cannot be written.
    report: ({ kind }) => {
      if (kind !== 'progress' || existsSync(`${history}/`)) return;
      rmSync(history);
      mkdirSync(history);
    },
  }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'EISDIR' });
  rmSync(history, { recursive: true });
  await trainSmall(run);
  expect(readHistory(run.artifacts).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
});

test('a Run that is stopped while it validates goes on with the validation', async () => {
  const whole = smallRun({ artifacts: temporaryFolder(), training: { batchSize: 16 } });
  await trainSmall(whole);
  const broken = smallRun({ artifacts: temporaryFolder(), training: { batchSize: 16 } });
  const controller = new AbortController();
  const load = async (...given: Parameters<typeof smallDataset>) => {
    const data = await smallDataset(...given);
    const validation = splitTrain(data.train, broken.parameters.dataset).validation;
    const read: typeof data.train.read = (indices, target) => {
      // The first of three batches.
      if (indices.length === 16 && indices[0] === validation[0]) controller.abort();
      return data.train.read(indices, target);
    };
    return { ...data, train: { ...data.train, read } };
  };
  const { outcome } = await trainSmall(broken, { load, signal: controller.signal });
  expect(outcome).toEqual({ outcome: 'preempted', epoch: 0, step: 10 });
  await trainSmall(broken);
  expect(digest(broken.artifacts)).toBe(digest(whole.artifacts));
});

test('ends with a result that holds all that led to it, and reads the test split once', async () => {
  const run = smallRun({ artifacts: temporaryFolder() });
  let testReads = 0;
  const load = async (...given: Parameters<typeof smallDataset>) => {
    const data = await smallDataset(...given);
    const read: typeof data.test.read = (indices, target) => {
      testReads += indices.length;
      return data.test.read(indices, target);
    };
    return { ...data, test: { ...data.test, read } };
  };
  const { outcome, reports } = await trainSmall(run, { load });
  expect(testReads).toBe(200);
  const written = resultDocument.parse(
    JSON.parse(readFileSync(join(run.artifacts, artifactFiles.result), 'utf8')),
  );
  expect(outcome).toEqual({ outcome: 'succeeded', result: written.result });
  expect(written.parameters).toEqual(run.parameters);
  expect(written.result).toMatchObject({ epochs: 3, artifacts: run.artifacts });
  expect(reports.filter(({ kind }) => kind === 'epoch')).toHaveLength(3);
  const best = Math.max(...readHistory(run.artifacts).map(({ validationAccuracy }) => validationAccuracy));
  expect(written.result.validationAccuracy).toBe(best);

  const again = await trainSmall(run, {
    load: () => {
      throw new Error('must not load data again');
    },
  });
  expect(again.outcome).toEqual(outcome);
});

test('learns: the loss of the third epoch is below that of the first', async () => {
  const run = smallRun({ artifacts: temporaryFolder() });
  await trainSmall(run);
  const [firstEpoch, , third] = readHistory(run.artifacts);
  expect(third!.loss).toBeLessThan(firstEpoch!.loss);
});

test('more epochs than it was trained for: training goes on from the last checkpoint', async () => {
  const artifacts = temporaryFolder();
  await trainSmall(smallRun({ artifacts, training: { epochs: 1 } }));
  const { outcome } = await trainSmall(smallRun({ artifacts, training: { epochs: 2 } }));
  expect(outcome).toMatchObject({ outcome: 'succeeded', result: { epochs: 2 } });
  expect(readHistory(artifacts).map(({ epoch }) => epoch)).toEqual([1, 2]);
});

test('captured and eager training give the same losses and weights to 1e-3 after twelve steps', async () => {
  const captured = smallRun({ artifacts: temporaryFolder() });
  const eager = smallRun({ artifacts: temporaryFolder(), rest: { capture: false } });
  await trainSmall(captured);
  await trainSmall(eager);
  const [a, b] = [readHistory(captured.artifacts), readHistory(eager.artifacts)];
  expect(a).toHaveLength(steps / 4);
  a.forEach(({ loss, validationLoss }, index) => {
    expect(Math.abs(loss - b[index]!.loss)).toBeLessThan(1e-3);
    expect(Math.abs(validationLoss - b[index]!.validationLoss)).toBeLessThan(1e-3);
  });
});

test.each([true, false])(
  'the number of tensors is constant from step to step (capture: %s)',
  async (capture) => {
    const run = smallRun({ artifacts: temporaryFolder(), rest: { capture } });
    const counts: number[] = [];
    await trainSmall(run, {
      clock: () => {
        counts.push(tf.memory().numTensors);
        return performance.now();
      },
    });
    expect(new Set(counts.slice(6)).size).toBe(1);
  },
);

test('a loss that is no number stops the Run and names epoch, step and learning rate', async () => {
  const run = smallRun({
    artifacts: temporaryFolder(),
    training: { optimizer: { learningRate: 10, weightDecay: 1 }, epochs: 30 },
  });
  const failure = await trainSmall(run).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DestillError);
  expect(failure).toMatchObject({
    code: 'TrainingDiverged',
    message: expect.stringMatching(
      /^The loss became (NaN|Infinity) in epoch \d+, step \d+, at a learning rate of \S+\. /,
    ),
  });
  expect(existsSync(join(run.artifacts, artifactFiles.result))).toBe(false);
});

describe('distillation', () => {
  test('trains a student of another network on a teacher, with all terms at once', async () => {
    const teacher = smallRun({ artifacts: temporaryFolder(), training: { epochs: 1 } });
    await trainSmall(teacher);
    const before = digest(teacher.artifacts, 'best');
    const student = smallRun({
      artifacts: temporaryFolder(),
      parameters: {
        role: 'distilled',
        model: 'wrn-16-1',
        objective: {
          softTargets: {},
          similarityPreserving: {},
          attentionTransfer: {},
          hints: {},
        },
      },
      training: { epochs: 2, labelSmoothing: 0 },
      rest: { teacherArtifacts: teacher.artifacts },
    });
    const whole = await trainSmall(student);
    expect(whole.outcome.outcome).toBe('succeeded');
    for (const { loss, crossEntropy, distillation } of readHistory(student.artifacts)) {
      expect(loss).toBeCloseTo(0.1 * crossEntropy + distillation!, 3);
    }
    expect(digest(teacher.artifacts, 'best')).toBe(before);

    // The regressor of the hints is part of what is restored.
    const broken = { ...student, artifacts: temporaryFolder() };
    expect((await trainSmall(broken, stopAtStep(3))).outcome.outcome).toBe('preempted');
    await trainSmall(broken);
    expect(digest(broken.artifacts)).toBe(digest(student.artifacts));
  });

  test('on a teacher in an ONNX file goes on bit for bit, from features that are named', async () => {
    const student = smallRun({
      artifacts: temporaryFolder(),
      parameters: {
        role: 'distilled',
        teacherOnnx: {
          file: { path: fixturePath('traced') },
          features: ['stage1', '/project/Conv_output_0'],
          logits: 'logits',
          normalisation: { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] },
        },
        objective: { softTargets: {}, attentionTransfer: {}, hints: { stage: 1 } },
      },
      training: { epochs: 2, labelSmoothing: 0 },
    });
    const whole = await trainSmall(student);
    expect(whole.outcome.outcome).toBe('succeeded');
    for (const { loss, crossEntropy, distillation } of readHistory(student.artifacts)) {
      expect(loss).toBeCloseTo(0.1 * crossEntropy + distillation!, 3);
    }
    const broken = { ...student, artifacts: temporaryFolder() };
    expect((await trainSmall(broken, stopAtStep(6))).outcome.outcome).toBe('preempted');
    await trainSmall(broken);
    expect(digest(broken.artifacts)).toBe(digest(student.artifacts));
  });

  test.each([
    ['that is not there', { file: { path: '/nowhere/big.onnx' } }, 'TeacherMissing', '/nowhere/big.onnx'],
    [
      'without a feature that is named',
      { file: { path: fixturePath('traced') }, features: ['layer1'] },
      'InvalidSpec',
      'computes nothing called "layer1"',
    ],
    [
      'without features',
      { file: { path: withoutStages() } },
      'InvalidSpec',
      'attentionTransfer compares features, but no features of the teacher are named: name them in spec.teacher.from.onnx.features',
    ],
  ])('on a teacher in an ONNX file %s is refused', async (_, teacherOnnx, code, said) => {
    const objective = { softTargets: {}, attentionTransfer: {} };
    const run = smallRun({
      artifacts: temporaryFolder(),
      parameters: { role: 'distilled', teacherOnnx, objective },
    });
    await expect(trainSmall(run)).rejects.toMatchObject({ code, message: expect.stringContaining(said) });
  });

  test('without a trained teacher says which file is missing', async () => {
    const teacherArtifacts = temporaryFolder();
    const run = smallRun({
      artifacts: temporaryFolder(),
      parameters: { role: 'distilled', objective: { softTargets: {} } },
      rest: { teacherArtifacts },
    });
    await expect(trainSmall(run)).rejects.toMatchObject({
      code: 'TeacherMissing',
      message: `${teacherArtifacts}/checkpoints/best.safetensors does not exist: its network has to be trained first.`,
    });
  });
});

test.each([
  ['no teacher', { objective: { softTargets: {} } }, {}, 'TeacherMissing', 'teacherArtifacts'],
  ['no technique', {}, { teacherArtifacts: '/nowhere' }, 'InvalidSpec', 'parameters.objective'],
])('a distilled Run with %s is refused, not trained plainly', async (_, parameters, rest, code, field) => {
  const run = smallRun({
    artifacts: temporaryFolder(),
    parameters: { role: 'distilled', ...parameters },
    rest,
  });
  await expect(trainSmall(run)).rejects.toMatchObject({ code, message: expect.stringContaining(field) });
});

describe('checkpoints that cannot be used are refused', () => {
  test('of another network', async () => {
    const artifacts = temporaryFolder();
    await trainSmall(smallRun({ artifacts, training: { epochs: 1 } }));
    const other = smallRun({ artifacts, training: { epochs: 2 }, parameters: { model: 'resnet14' } });
    await expect(trainSmall(other)).rejects.toMatchObject({
      code: 'CheckpointUnusable',
      message: expect.stringContaining(
        'holds resnet8 for 10 classes at 16 px; resnet14 for 10 classes at 16 px is asked for',
      ),
    });
  });

  test('a half-written one beside a whole one is never read', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    await trainSmall(run, stopAtStep(3));
    writeFileSync(join(run.artifacts, `${artifactFiles.last}.part`), 'torn');
    expect((await trainSmall(run)).outcome.outcome).toBe('succeeded');
  });
});

test('training tells of each step, each evaluation and each checkpoint, and how long it took', async () => {
  const run = smallRun({ artifacts: temporaryFolder() });
  const seen: Observation[] = [];
  let now = 0;
  await trainSmall(run, {
    observe: (observation) => seen.push(observation),
    // Every look at the clock is a second later.
    clock: () => {
      now += 1000;
      return now;
    },
  });
  const of = (kind: Observation['kind']) => seen.filter((observation) => observation.kind === kind);
  expect(of('step')).toHaveLength(steps);
  expect(of('step')[0]).toEqual({
    kind: 'step',
    images: 48,
    correct: expect.any(Number),
    loss: expect.any(Number),
    crossEntropy: expect.any(Number),
    distillation: 0,
    learningRate: expect.closeTo(0.05 / 4, 8),
    seconds: 1,
    waited: 1,
    tensors: expect.any(Number),
    tensorBytes: expect.any(Number),
  });
  // Of each epoch and of the test split.
  expect(of('evaluation')).toEqual(Array(3 + 1).fill({ kind: 'evaluation', seconds: expect.any(Number) }));
  // The last of each epoch, and the best of at least one of them.
  expect(of('checkpoint').length).toBeGreaterThanOrEqual(3 + 1);
});
