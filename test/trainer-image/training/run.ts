/** Small real Runs for the tests of training. */
import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Assignment, assignment } from '@destillml/core/protocol/assignment.ts';
import type { Report } from '@destillml/core/protocol/report.ts';
import type { ImageSet, LoadedDataset } from '@destillml/trainer/data/dataset.ts';
import { defaultLoadDeps, load } from '@destillml/trainer/data/load.ts';
import { teacherFile } from '@destillml/trainer/onnx-teacher/teacher-file.ts';
import { readTensors } from '@destillml/trainer/storage/safetensors.ts';
import { type TrainingDeps, train } from '@destillml/trainer/training/train.ts';

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'destill-test-'));
}

/** Real MNIST images of 16 px: 160 to train on, 40 for validation, 200 for the test. */
export async function smallDataset(parameters: Assignment['parameters']['dataset']): Promise<LoadedDataset> {
  const whole = await load(parameters, temporaryFolder(), defaultLoadDeps);
  return { ...whole, train: first(whole.train, 200), test: first(whole.test, 200) };
}

function first(set: ImageSet, count: number): ImageSet {
  return { ...set, count, labels: set.labels.slice(0, count) };
}

type Changes = {
  readonly artifacts: string;
  readonly training?: object;
  readonly parameters?: object;
  readonly rest?: object;
};

export function smallRun({ artifacts, training, parameters, rest }: Changes): Assignment {
  return assignment.parse({
    name: 'small',
    experiment: 'test',
    artifacts,
    data: temporaryFolder(),
    parameters: {
      role: 'teacher',
      model: 'resnet8',
      seed: 3,
      dataset: {
        name: 'mnist',
        imageSize: 16,
        validation: 40,
        augmentation: {
          horizontalFlip: 0.5,
          crop: { padding: 2 },
          colorJitter: { brightness: 0.2, hue: 0.1 },
        },
      },
      training: {
        epochs: 3,
        batchSize: 48,
        optimizer: { learningRate: 0.05 },
        schedule: { warmupEpochs: 1 },
        ...training,
      },
      ...parameters,
    },
    ...rest,
  });
}

/** What training needs; nobody listens. */
export function deps(run: Assignment, changes: Partial<TrainingDeps> = {}): TrainingDeps {
  return {
    load: smallDataset,
    teacherFile: (teacher, folder) =>
      teacherFile(teacher, folder, {
        ...defaultLoadDeps,
        claims: undefined,
        openBucket: async () => {
          throw new Error('no store here');
        },
      }),
    report: () => undefined,
    observe: () => undefined,
    folders: { own: run.artifacts, teacher: run.teacherArtifacts, runs: dirname(run.artifacts) },
    saved: () => undefined,
    threads: availableParallelism(),
    clock: () => performance.now(),
    now: () => new Date('2026-01-01T00:00:00Z'),
    signal: new AbortController().signal,
    ...changes,
  };
}

/** Trains and gathers the reports. */
export async function trainSmall(run: Assignment, changes: Partial<TrainingDeps> = {}) {
  const reports: Report[] = [];
  const outcome = await train(run, deps(run, { report: (report) => reports.push(report), ...changes }));
  return { outcome, reports };
}

/** Digest of every tensor of a checkpoint: weights, statistics, velocities. */
export function digest(artifacts: string, which: 'last' | 'best' = 'last'): string {
  const hash = createHash('sha256');
  for (const [name, { values }] of readTensors(join(artifacts, `checkpoints/${which}.safetensors`)).tensors) {
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
