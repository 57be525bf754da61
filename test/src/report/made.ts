import type { Experiment } from '../../../src/api/experiment.ts';
import type { EpochRecord, Run } from '../../../src/api/run.ts';
import type { ReportInput } from '../../../src/report/input.ts';
import type { Explanations } from '../../../src/results/explanations.ts';
import { experimentOf, now } from '../plan/world.ts';
import { accuracy, runsWith } from '../results/runs.ts';
import { epochsOf, searched, searchedExperiment } from '../results/searched.ts';

/** An Experiment of one student, two arms and two seeds, with its results. */
export const experiment = experimentOf();

export const complete = {
  'teacher/1': { ...accuracy(0.95), parameters: 850_000, flops: 250_000_000, trainingSeconds: 300 },
  'baseline/small/1': { ...accuracy(0.8), trainingSeconds: 60 },
  'baseline/small/2': { ...accuracy(0.82), trainingSeconds: 80 },
  'soft/small/1': { ...accuracy(0.83), trainingSeconds: 90 },
  'soft/small/2': { ...accuracy(0.86), trainingSeconds: 95 },
  'attention/small/1': { ...accuracy(0.79, 0.7), trainingSeconds: 100 },
  'attention/small/2': { ...accuracy(0.82, 0.7), trainingSeconds: 110 },
};

export function epoch(number: number, values: Partial<EpochRecord> = {}): EpochRecord {
  return {
    epoch: number,
    loss: 2 / number,
    crossEntropy: 2 / number,
    trainAccuracy: 1 - 0.6 / number,
    validationLoss: 2.2 / number,
    validationAccuracy: 1 - 0.7 / number,
    learningRate: 0.1,
    imagesPerSecond: 400,
    seconds: 18,
    ...values,
  };
}

/** A picture of one black pixel. */
export const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==';

export const explained: Explanations = {
  classes: ['Trouser', 'Sandal'],
  images: [{ name: 'test image 5', label: 1 }, { name: 'cat.jpg' }],
  seconds: 21,
  sanity: { gradCam: { spearman: { mean: 0.04, standardDeviation: 0.2 }, passes: true } },
  networks: [
    {
      name: 'teacher',
      quality: {
        gradCam: { insertion: { mean: 0.61 }, randomInsertion: { mean: 0.4 }, deletion: { mean: 0.2 } },
      },
      agreement: {},
      explanations: [
        { prediction: 1, confidence: 0.9998, target: 1 },
        { prediction: 0, confidence: 0.5, target: 1 },
      ],
    },
    {
      name: 'soft',
      quality: { gradCam: {} },
      agreement: {
        gradCam: {
          spearman: { mean: -0.71, standardDeviation: 0.12 },
          topOverlap: { mean: 0.604, standardDeviation: 0.1 },
          sameClass: 0.5,
        },
      },
      explanations: [
        { prediction: 1, confidence: 0.8, target: 1 },
        { prediction: 1, confidence: 0.7, target: 1 },
      ],
    },
  ],
};

/** A report of it with curves and pictures, and what `changes` say. */
export function reportInput(
  changes: Partial<ReportInput> = {},
  of: Experiment = experiment,
  results: Parameters<typeof runsWith>[1] = complete,
): ReportInput {
  return {
    experiment: of,
    runs: runsWith(of, results).map((run) => ({
      run,
      history: run.status?.result === undefined ? [] : [epoch(1), epoch(2), epoch(3), epoch(4)],
    })),
    settings: 'dataset:\n  name: mnist\n',
    versions: { destillml: '0.1.0', tensorflow: '4.22.0' },
    explanations: { document: explained, figures: [pixel, undefined] },
    createdAt: now,
    ...changes,
  };
}

/** A report of a search: what the main stage asks for has not begun. */
export function searchInput(runs: readonly Run[] = searched()): ReportInput {
  const input = reportInput({ explanations: undefined }, searchedExperiment, {});
  const others = input.runs.filter(({ run }) => run.spec.trial === undefined);
  return { ...input, runs: [...others, ...runs.map((run) => ({ run, history: epochsOf(run) }))] };
}

export const hostile = `"><script>alert('x')</script><img src=x onerror=alert(1)>&amp; </style></title>\u0007`;

/** A report in which every text that may come from outside is hostile. */
export function hostileInput(): ReportInput {
  const input = reportInput();
  const runs = input.runs.map(({ run, history }, index) => ({
    run: {
      ...run,
      metadata: { ...run.metadata, name: `${run.metadata.name}${hostile}` },
      ...(index === 0
        ? { status: { phase: 'Failed' as const, conditions: [], reason: hostile, message: hostile } }
        : {}),
    },
    history,
  }));
  return {
    ...input,
    experiment: {
      ...experiment,
      metadata: { ...experiment.metadata, name: hostile, namespace: hostile },
      spec: {
        ...experiment.spec,
        distillation: experiment.spec.distillation.map((arm) => ({ ...arm, name: hostile })),
        students: experiment.spec.students.map((student) => ({ ...student, name: hostile })),
      },
    },
    runs: [
      ...runs,
      ...runs.map(({ run, history }) => ({
        run: {
          ...run,
          spec: { ...run.spec, parameters: { ...run.spec.parameters, arm: hostile, student: hostile } },
        },
        history,
      })),
    ],
    settings: hostile,
    versions: { [hostile]: hostile },
    explanations: {
      document: {
        classes: [hostile, hostile],
        images: [{ name: hostile, label: 0 }],
        seconds: 21,
        sanity: { [hostile]: { spearman: { mean: 0.9 }, passes: false } },
        networks: explained.networks.map((network) => ({
          ...network,
          name: hostile,
          quality: { [hostile]: { insertion: { mean: 0.5 } } },
        })),
      },
      figures: [pixel],
    },
  };
}
