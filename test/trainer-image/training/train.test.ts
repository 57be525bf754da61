import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { EpochRecord } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import type { Report } from '@destillml/core/protocol/report.ts';
import { artifactFiles, asideOf } from '@destillml/trainer/artifacts/files.ts';
import { readHistory } from '@destillml/trainer/artifacts/history.ts';
import { resultDocument } from '@destillml/trainer/artifacts/result.ts';
import type { LoadedDataset } from '@destillml/trainer/data/dataset.ts';
import { splitTrain } from '@destillml/trainer/data/splits.ts';
import type { Observation } from '@destillml/trainer/metrics/observation.ts';
import { decodeModel, encodeModel } from '@destillml/trainer/storage/onnx-format.ts';
import { readTensors, writeTensors } from '@destillml/trainer/storage/safetensors.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import type { TrainingDeps, TrainingOutcome } from '@destillml/trainer/training/train.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixturePath } from '../onnx-teacher/fixture.ts';
import { digest, smallDataset, smallRun, temporaryFolder, trainSmall } from './run.ts';

/** Steps of a small run: 160 images in batches of 48, three epochs. */
const steps = 4 * 3;

type Succeeded = Extract<TrainingOutcome, { readonly outcome: 'succeeded' }>;

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

describe('a Run that pauses at rungs', () => {
  let whole: Assignment;
  let end: Awaited<ReturnType<typeof trainSmall>>['outcome'];
  beforeAll(async () => {
    whole = smallRun({ artifacts: temporaryFolder() });
    ({ outcome: end } = await trainSmall(whole));
  });
  /** Best validation accuracy of the Run that never paused, up to an epoch. */
  const bestAt = (epoch: number) =>
    Math.max(
      ...readHistory(whole.artifacts).flatMap((record) =>
        record.epoch <= epoch ? [record.validationAccuracy] : [],
      ),
    );
  const until = (run: Assignment, untilEpoch: number): Assignment => ({ ...run, untilEpoch });
  const rung = (epoch: number) => ({ outcome: 'paused', epoch, validationAccuracy: bestAt(epoch) });
  const timeless = ({ seconds: _, imagesPerSecond: __, ...record }: EpochRecord) => record;
  const expectSame = (run: Assignment) => {
    for (const which of ['last', 'best'] as const) {
      expect(digest(run.artifacts, which), which).toBe(digest(whole.artifacts, which));
    }
    expect(readHistory(run.artifacts).map(timeless)).toEqual(readHistory(whole.artifacts).map(timeless));
  };
  const untested: TrainingDeps['load'] = async (dataset) => {
    const data = await smallDataset(dataset);
    const read = () => {
      throw new Error('reads the test split');
    };
    return { ...data, test: { ...data.test, read } };
  };

  test('ends as one that never paused, bit for bit, and reads the test split at the end only', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    for (const epoch of [1, 2]) {
      const { outcome } = await trainSmall(until(run, epoch), { load: untested });
      expect(outcome).toEqual(rung(epoch));
      expect(existsSync(join(run.artifacts, artifactFiles.result))).toBe(false);
    }
    const { outcome } = await trainSmall(run);
    const { trainingSeconds, imagesPerSecond, artifacts, ...result } = (end as Succeeded).result;
    expect(outcome).toMatchObject({ outcome: 'succeeded', result });
    expectSame(run);
  });

  test('interrupted between its rungs, as well', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    expect((await trainSmall(until(run, 2), stopAtStep(6))).outcome.outcome).toBe('preempted');
    expect((await trainSmall(until(run, 2))).outcome).toEqual(rung(2));
    expect((await trainSmall(run, stopAtStep(2))).outcome.outcome).toBe('preempted');
    await trainSmall(run);
    expectSame(run);
  });

  test('says so again where its last word was lost, without a step', async () => {
    const run = until(smallRun({ artifacts: temporaryFolder() }), 1);
    await trainSmall(run);
    const seen: Observation[] = [];
    const { outcome } = await trainSmall(run, { load: untested, observe: (one) => seen.push(one) });
    expect(outcome).toEqual(rung(1));
    expect(seen).toEqual([]);
  });

  test('told to stop as its epoch is done, has paused', async () => {
    const run = until(smallRun({ artifacts: temporaryFolder() }), 1);
    const controller = new AbortController();
    const { outcome } = await trainSmall(run, {
      signal: controller.signal,
      report: ({ kind }) => kind === 'epoch' && controller.abort(),
    });
    expect(outcome).toEqual(rung(1));
  });

  test.each([3, 4])('at epoch %d of 3 is at its end', async (untilEpoch) => {
    const run = smallRun({ artifacts: temporaryFolder() });
    expect((await trainSmall(until(run, untilEpoch))).outcome.outcome).toBe('succeeded');
    expectSame(run);
  });

  test('after its end says that it has succeeded, whatever it is to pause at', async () => {
    expect((await trainSmall(until(whole, 1))).outcome).toEqual(end);
  });

  test.each([artifactFiles.last, artifactFiles.best])(
    'and whose %s is damaged there, trains what is lost again, bit for bit',
    async (name) => {
      const run = smallRun({ artifacts: temporaryFolder() });
      await trainSmall(until(run, 2));
      truncateSync(join(run.artifacts, name), 99);
      expect((await trainSmall(until(run, 2))).outcome).toEqual(rung(2));
      await trainSmall(run);
      expectSame(run);
    },
  );

  test('finds out that its best network is damaged before it says that it has paused', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    let isDone = false;
    const { outcome } = await trainSmall(until(run, 2), {
      report: (report) => {
        if (isDone || report.kind !== 'epoch' || report.record.epoch !== 2) return;
        truncateSync(join(run.artifacts, artifactFiles.best), 99);
        isDone = true;
      },
    });
    expect({ isDone, outcome }).toEqual({ isDone: true, outcome: rung(2) });
    await trainSmall(run);
    expectSame(run);
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

test('a loss or weight that is no number stops the Run, is named with epoch, step and learning rate, and not kept', async () => {
  const run = smallRun({
    artifacts: temporaryFolder(),
    training: { optimizer: { learningRate: 10, weightDecay: 1 }, epochs: 30 },
  });
  const failure = await trainSmall(run).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DestillError);
  expect(failure).toMatchObject({
    code: 'TrainingDiverged',
    message: expect.stringMatching(
      /^(The loss|A value of \S+) became (NaN|-?Infinity) in epoch \d+, step \d+, at a learning rate of \S+\. /,
    ),
  });
  expect(existsSync(join(run.artifacts, artifactFiles.result))).toBe(false);
  for (const which of ['last', 'best'] as const) {
    for (const { name, values } of readTensors(join(run.artifacts, artifactFiles[which])).tensors.values()) {
      expect(values.every(Number.isFinite), `${name} of ${which}`).toBe(true);
    }
  }
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

/** As a Run of a search, which tries a learning rate. */
function trying(learningRate: number, artifacts: string): Assignment {
  const run = smallRun({ artifacts });
  const { training } = run.parameters;
  const tried = { ...training, optimizer: { ...training.optimizer, learningRate } };
  const values = { 'training.optimizer.learningRate': learningRate };
  const trial = { study: 'small.baseline', number: 1, values, summary: '' };
  return { ...run, parameters: { ...run.parameters, training: tried }, trial };
}

describe('a Run in whose folder is what an earlier Run of its name has left', () => {
  test.each([
    ['in the middle of its training', stopAtStep(7)],
    ['finished', undefined],
  ])('that tried other values and was %s, begins anew and says so', async (_, stop) => {
    const fresh = trying(0.05, temporaryFolder());
    await trainSmall(fresh);
    const used = temporaryFolder();
    await trainSmall(trying(0.2, used), ...(stop === undefined ? [] : [stop]));
    const { outcome, reports } = await trainSmall(trying(0.05, used));
    expect(outcome.outcome).toBe('succeeded');
    const notes = reports.flatMap((report) => (report.kind === 'note' ? [report.message] : []));
    expect(notes[0]).toBe(
      `${join(used, artifactFiles.last)} is passed over: it is of an earlier Run of this name, which tried other values.`,
    );
    for (const which of ['last', 'best'] as const) {
      expect(digest(used, which), which).toBe(digest(fresh.artifacts, which));
    }
    expect(readHistory(used).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  });

  test('that tried the same, goes on from there', async () => {
    const folder = temporaryFolder();
    await trainSmall(trying(0.2, folder), stopAtStep(7));
    const { reports } = await trainSmall(trying(0.2, folder));
    const notes = reports.flatMap((report) => (report.kind === 'note' ? [report.message] : []));
    expect(notes.some((note) => note.startsWith('Going on from epoch'))).toBe(true);
  });
});

/** Rewrites a checkpoint as it was before it had a digest, and told what it was trained on. */
function asOlderVersion(path: string): void {
  const { tensors, metadata } = readTensors(path);
  const { best: _, data: __, state, ...older } = metadata;
  const { threads: ___, ...without } = JSON.parse(state ?? '{}');
  const said = { ...older, format: 'destillml/1', ...(state && { state: JSON.stringify(without) }) };
  writeTensors(path, { tensors, metadata: said });
  const text = readFileSync(path, 'latin1').replace('"sha256"', '"sha-25"');
  writeFileSync(path, text, 'latin1');
}

describe('a Run whose checkpoint is damaged', () => {
  /** Stopped in its second epoch, with two checkpoints. */
  async function stopped(): Promise<Assignment> {
    const run = smallRun({ artifacts: temporaryFolder() });
    await trainSmall(run, stopAtStep(7));
    return run;
  }
  const notes = (reports: readonly Report[]) =>
    reports.flatMap((report) => (report.kind === 'note' ? [report.message] : []));
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'has one bit flipped': (path) => {
      const bytes = readFileSync(path);
      bytes[Math.floor(Math.random() * bytes.length)]! ^= 1 << Math.floor(Math.random() * 8);
      writeFileSync(path, bytes);
    },
    'was cut off': (path) => truncateSync(path, Math.floor(Math.random() * statSync(path).size)),
    'is empty': (path) => truncateSync(path, 0),
    'begins with something else': (path) => writeFileSync(path, 'garbage!', { flag: 'r+' }),
  };
  let whole: Assignment;
  beforeAll(async () => {
    whole = smallRun({ artifacts: temporaryFolder() });
    await trainSmall(whole);
  });
  const expectSame = (run: Assignment) => {
    for (const which of ['last', 'best'] as const) {
      expect(digest(run.artifacts, which), which).toBe(digest(whole.artifacts, which));
    }
    expect(readHistory(run.artifacts).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  };

  test.each(Object.entries(damages))(
    'and %s, goes on from the one before, bit for bit',
    async (_, damage) => {
      const run = await stopped();
      const last = join(run.artifacts, artifactFiles.last);
      damage(last);
      const bytes = readFileSync(last);
      const { outcome, reports } = await trainSmall(run);
      expect(outcome.outcome).toBe('succeeded');
      expect(notes(reports)).toEqual([
        expect.stringMatching(
          new RegExp(`^${last} is damaged: .*\\. It is put aside as ${last}\\.damaged\\.$`, 's'),
        ),
        'Going on from epoch 1, step 0.',
      ]);
      expect(readFileSync(asideOf(last))).toEqual(bytes);
      expectSame(run);
    },
  );

  test('as are all, begins anew, and comes to the same', async () => {
    const run = await stopped();
    for (const name of [artifactFiles.last, artifactFiles.previous])
      truncateSync(join(run.artifacts, name), 9);
    const { reports } = await trainSmall(run);
    expect(notes(reports).at(-1)).toBe('No checkpoint is left to go on from: training begins anew.');
    expectSame(run);
  });

  test('as is the best network, writes that again from a checkpoint which holds it, or trains it anew', async () => {
    const run = await stopped();
    const best = join(run.artifacts, artifactFiles.best);
    damages['has one bit flipped']!(best);
    const { reports } = await trainSmall(run);
    expect(notes(reports)).toEqual([
      expect.stringMatching(`^${best} is damaged: `),
      `${join(run.artifacts, artifactFiles.last)} is passed over: the best network up to then is lost.`,
      `${best} is written again from ${join(run.artifacts, artifactFiles.previous)}.`,
      'Going on from epoch 1, step 0.',
    ]);
    expectSame(run);

    // No checkpoint of the first epoch is left: everything is trained again.
    rmSync(join(run.artifacts, artifactFiles.result));
    rmSync(best);
    const again = await trainSmall(run);
    expect(again.outcome.outcome).toBe('succeeded');
    expectSame(run);
  });

  test('as is the best network while it trains, finds it out before it is tested', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    const best = join(run.artifacts, artifactFiles.best);
    let done = false;
    await trainSmall(run, {
      report: (report) => {
        if (done || report.kind !== 'epoch' || report.record.epoch !== 3) return;
        truncateSync(best, 100);
        done = true;
      },
    });
    expect(done).toBe(true);
    expectSame(run);
  });

  test('or its history, says of which epochs nothing is known', async () => {
    const run = await stopped();
    const path = join(run.artifacts, artifactFiles.history);
    const [first = '', ...rest] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [first.replace('{', '['), ...rest].join('\n'));
    const { reports } = await trainSmall(run);
    expect(notes(reports)).toContain(`${path} is damaged: nothing is known of epoch 1 any more.`);
    expect(readHistory(run.artifacts).map(({ epoch }) => epoch)).toEqual([2, 3]);
  });

  test('or its result, evaluates again', async () => {
    const run = { ...whole, artifacts: temporaryFolder() };
    cpSync(whole.artifacts, run.artifacts, { recursive: true });
    const result = join(run.artifacts, artifactFiles.result);
    const before = readFileSync(result, 'utf8');
    truncateSync(result, 50);
    const { outcome, reports } = await trainSmall(run);
    expect(notes(reports)[0]).toBe(
      `${result} is damaged: it is not JSON. It is put aside as ${asideOf(result)}.`,
    );
    expect(outcome).toMatchObject({ result: { testLoss: JSON.parse(before).result.testLoss } });
  });

  test('is told so where it is the teacher of another: which file, and what to do', async () => {
    const teacher = { ...whole, artifacts: temporaryFolder() };
    cpSync(whole.artifacts, teacher.artifacts, { recursive: true });
    const best = join(teacher.artifacts, artifactFiles.best);
    damages['has one bit flipped']!(best);
    const student = smallRun({
      artifacts: temporaryFolder(),
      parameters: { role: 'distilled', objective: { softTargets: {} } },
      rest: { teacherArtifacts: teacher.artifacts },
    });
    await expect(trainSmall(student)).rejects.toMatchObject({
      code: 'CheckpointUnusable',
      message: expect.stringMatching(
        new RegExp(`^${best} is damaged: .*\\. Put back a whole copy of the file; or delete it and `, 's'),
      ),
    });

    // Written as it is, but no network: not the learning rate of the student.
    const { tensors, metadata } = readTensors(join(whole.artifacts, artifactFiles.best));
    tensors.get('fc.bias')?.values.fill(Number.NaN);
    writeTensors(best, { tensors, metadata });
    await expect(trainSmall(student)).rejects.toMatchObject({
      code: 'CheckpointUnusable',
      message: expect.stringContaining(`${best} is damaged: fc.bias holds a value that is NaN.`),
    });
  });

  test('or was written by an older version, is used as a teacher, and that is said', async () => {
    const teacher = { ...whole, artifacts: temporaryFolder() };
    cpSync(whole.artifacts, teacher.artifacts, { recursive: true });
    const best = join(teacher.artifacts, artifactFiles.best);
    asOlderVersion(best);
    const student = smallRun({
      artifacts: temporaryFolder(),
      parameters: { role: 'distilled', objective: { softTargets: {} } },
      training: { epochs: 1 },
      rest: { teacherArtifacts: teacher.artifacts },
    });
    const { reports } = await trainSmall(student);
    expect(notes(reports)).toEqual([
      `${best} is of an older version, without a digest: it is used unchecked.`,
    ]);
  });

  test('by an older version, without a digest, is used and that is said', async () => {
    const run = await stopped();
    for (const name of [artifactFiles.last, artifactFiles.best]) {
      asOlderVersion(join(run.artifacts, name));
    }
    const { reports } = await trainSmall(run);
    expect(notes(reports)[0]).toBe(
      `${join(run.artifacts, artifactFiles.last)} is of an older version, without a digest: it is used unchecked.`,
    );
    expectSame(run);
  });
});

describe('a Run goes on', () => {
  const changedData: Readonly<Record<string, (data: LoadedDataset) => LoadedDataset>> = {
    images: (data) => {
      const content = (data.train.content as Uint8Array).slice();
      content[77]! ^= 1;
      return { ...data, train: { ...data.train, content } };
    },
    labels: (data) => ({ ...data, test: { ...data.test, labels: data.test.labels.toReversed() } }),
  };

  test.each(Object.keys(changedData))('on no other data: %s', async (what) => {
    const run = smallRun({ artifacts: temporaryFolder() });
    await trainSmall(run, stopAtStep(5));
    const before = digest(run.artifacts);
    const load = async (...given: Parameters<typeof smallDataset>) =>
      changedData[what]!(await smallDataset(...given));
    await expect(trainSmall(run, { load })).rejects.toMatchObject({
      code: 'CheckpointUnusable',
      message: `${join(run.artifacts, artifactFiles.last)} was trained on other data of mnist: what differs from then is ${what}. Put back the data that the Run began with; or delete its folder, and it trains anew.`,
    });
    expect(digest(run.artifacts)).toBe(before);
  });

  test('on no other split', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    await trainSmall(run, stopAtStep(5));
    const { dataset } = run.parameters;
    const parameters = { ...run.parameters, dataset: { ...dataset, splitSeed: dataset.splitSeed + 1 } };
    await expect(trainSmall({ ...run, parameters })).rejects.toMatchObject({
      message: expect.stringContaining('what differs from then is split.'),
    });
  });

  test('with another number of threads where it has to, and says that the end is not bit-equal', async () => {
    const run = smallRun({ artifacts: temporaryFolder() });
    await trainSmall(run, { ...stopAtStep(5), threads: 3 });
    const { reports } = await trainSmall(run, { threads: 2 });
    expect(reports.slice(0, 2)).toEqual([
      { kind: 'note', message: expect.stringMatching(/^Going on from epoch 1, step \d\.$/) },
      {
        kind: 'note',
        message:
          'So far it was trained with 3 threads, now with 2: the end will not be bit-equal to that of a Run that was not interrupted.',
      },
    ]);
    const written = JSON.parse(readFileSync(join(run.artifacts, artifactFiles.result), 'utf8'));
    expect(written.environment.threads).toBe('3, then 2');
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
