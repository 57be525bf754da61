/** A made-up search by ASHA that looks like a real one: no chance in it, the same whenever it is made. */
import type { Experiment } from '../../../src/api/experiment.ts';
import type { EpochRecord, Run, RunParameters, RunStatus } from '../../../src/api/run.ts';
import type { SweptValues } from '../../../src/api/sweepable.ts';
import { training } from '../../../src/api/training.ts';
import { shortNames } from '../../../src/plan/swept.ts';
import { formatValue } from '../../../src/results/swept.ts';
import { experimentOf, resultOf } from '../plan/world.ts';

const [minEpochs, eta, epochs] = [3, 3, 27];

export const crop = 'dataset.augmentation.crop';

export const searchedExperiment: Experiment = experimentOf({
  training: { epochs, schedule: { warmupEpochs: 1 } },
  dataset: { name: 'mnist', augmentation: { crop: { padding: 2 } } },
  distillation: [{ name: 'soft', softTargets: {} }],
  seeds: [1, 2, 3],
  sweep: {
    for: 'comparison',
    algorithm: { asha: { minEpochs, eta } },
    maxRuns: 40,
    parameters: [
      { name: 'training.optimizer.learningRate', double: { min: 0.001, max: 1, scale: 'log' } },
      { name: 'training.batchSize', discrete: [32, 64, 128] },
      { name: 'distillation.softTargets.temperature', double: { min: 1, max: 10 } },
      { name: 'distillation.softTargets.weight', double: { min: 0.1, max: 1, step: 0.1 } },
      { name: crop, boolean: {} },
      { name: `${crop}.padding`, integer: { min: 1, max: 4 } },
    ],
  },
});

interface Tried {
  readonly number: number;
  readonly values: SweptValues;
  /** Best validation accuracy up to an epoch. */
  readonly curve: readonly number[];
  readonly failed: boolean;
}

/** As many trials of each study, all of them where ASHA would leave them at its end. */
export function searched(trials = 40, experiment: Experiment = searchedExperiment): readonly Run[] {
  const studies = experiment.spec.students.flatMap(({ name }) =>
    ['baseline', ...experiment.spec.distillation.map((arm) => arm.name)].map((arm) => [name, arm] as const),
  );
  return studies.flatMap(([student, arm], index) => {
    const tried = Array.from({ length: trials }, (_, of) => tryOut(of + 1, arm, index));
    const reached = halve(tried);
    return tried.map((trial) => runOf(experiment, student, arm, trial, reached.get(trial.number) ?? 0));
  });
}

/** What `history.jsonl` of such a Run has. */
export function epochsOf(run: Run): readonly EpochRecord[] {
  return (run.status?.history ?? []).map((validationAccuracy, index) => ({
    epoch: index + 1,
    loss: 2.3 * (1 - validationAccuracy) + 0.05,
    crossEntropy: 2.3 * (1 - validationAccuracy) + 0.05,
    trainAccuracy: validationAccuracy,
    validationLoss: 2.4 * (1 - validationAccuracy) + 0.06,
    validationAccuracy,
    learningRate: 0.1,
    imagesPerSecond: 400,
    seconds: 12 + run.spec.parameters.training.batchSize / 32,
  }));
}

function tryOut(number: number, arm: string, study: number): Tried {
  const draw = (index: number) => uniform(number * 31 + index * 7 + study * 1009);
  const rate = Number((10 ** (-3 + 3 * draw(0))).toPrecision(4));
  const temperature = Number((1 + 9 * draw(1)).toPrecision(4));
  const weight = Math.ceil(10 * draw(2)) / 10;
  const batch = [32, 64, 128][Math.floor(3 * draw(3))] ?? 32;
  const isCropped = draw(4) < 0.5;
  const padding = 1 + Math.floor(4 * draw(5));
  const best =
    0.93 -
    0.05 * (Math.log10(rate) + 1) ** 2 -
    0.01 * Math.abs(batch / 64 - 1) -
    (arm === 'baseline' ? 0.02 : 0.0006 * (temperature - 4) ** 2 + 0.03 * (weight - 0.7) ** 2) +
    (isCropped ? 0.01 - 0.002 * (padding - 2) ** 2 : 0);
  const failed = rate > 0.8;
  const pace = 0.25 + 0.3 * draw(6);
  return {
    number,
    values: {
      'training.optimizer.learningRate': rate,
      'training.batchSize': batch,
      ...(arm === 'baseline'
        ? {}
        : { 'distillation.softTargets.temperature': temperature, 'distillation.softTargets.weight': weight }),
      [crop]: isCropped,
      ...(isCropped ? { [`${crop}.padding`]: padding } : {}),
    },
    curve: Array.from({ length: failed ? 2 : epochs }, (_, index) => {
      const noise = 0.012 * (uniform(number * 977 + index * 13 + study) - 0.5);
      return Number(
        Math.min(1, Math.max(0.1, best - 0.5 * Math.exp(-pace * (index + 1)) + noise)).toFixed(4),
      );
    }),
    failed,
  };
}

/** Epoch at which each trial was left: a third of those at a rung go on to the next. */
function halve(tried: readonly Tried[]): ReadonlyMap<number, number> {
  const reached = new Map(
    tried.map(({ number, failed, curve }) => [number, failed ? curve.length : minEpochs]),
  );
  let here = tried.filter(({ failed }) => !failed);
  for (let rung = minEpochs; rung < epochs; rung *= eta) {
    const upTo = ({ curve }: Tried) => Math.max(...curve.slice(0, rung));
    here = here.toSorted((a, b) => upTo(b) - upTo(a)).slice(0, Math.floor(here.length / eta));
    for (const { number } of here) reached.set(number, rung * eta);
  }
  return reached;
}

function runOf(experiment: Experiment, student: string, arm: string, tried: Tried, reached: number): Run {
  const { dataset, training: recipe, distillation } = experiment.spec;
  const { number, values } = tried;
  const isBaseline = arm === 'baseline';
  const parameters: RunParameters = {
    role: isBaseline ? 'baseline' : 'distilled',
    stage: 'search',
    ...(isBaseline ? {} : { arm, teacherRun: 'study-teacher-s1', objective: objectiveOf(distillation, arm) }),
    student,
    model: experiment.spec.students.find(({ name }) => name === student)?.model ?? 'resnet8',
    seed: 1,
    dataset,
    training: training.parse({
      ...recipe,
      batchSize: values['training.batchSize'],
      optimizer: { ...recipe.optimizer, learningRate: values['training.optimizer.learningRate'] },
    }),
  };
  const study = `${student}.${arm}`;
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: {
      name: `study-${student}-${arm}-t${number}`,
      labels: { 'destillml.io/study': study, 'destillml.io/stage': 'search' },
    },
    spec: {
      experiment: experiment.metadata.name,
      parameters,
      suspend: reached < epochs,
      trial: { study, number, values, summary: summaryOf(values) },
      ...(reached < epochs ? { untilEpoch: Math.max(minEpochs, reached) } : {}),
    },
    status: statusOf(tried, reached),
  };
}

function summaryOf(values: SweptValues): string {
  const names = shortNames(Object.keys(values));
  return Object.entries(values)
    .flatMap(([path, value]) => (value === undefined ? [] : `${names.get(path)}=${formatValue(value)}`))
    .join(', ');
}

function objectiveOf(arms: Experiment['spec']['distillation'], of: string) {
  const { name: _name, ...objective } = arms.find(({ name }) => name === of) ?? { name: of };
  return objective;
}

function statusOf({ curve, failed }: Tried, reached: number): RunStatus {
  const history = curve.slice(0, reached);
  const bestValidationAccuracy = Math.max(...history);
  const rungs = [minEpochs, minEpochs * eta, epochs]
    .filter((epoch) => epoch <= reached && epoch < epochs)
    .map((epoch) => ({ epoch, validationAccuracy: Math.max(...history.slice(0, epoch)) }));
  const progress = {
    epoch: reached,
    epochs,
    step: 0,
    steps: 100,
    bestValidationAccuracy,
    updatedAt: '2026-03-01T11:00:00Z',
  };
  const status = { conditions: [], progress, history, rungs };
  if (failed) {
    return { ...status, phase: 'Failed', reason: 'TrainingDiverged', message: 'The loss became NaN.' };
  }
  if (reached < epochs) return { ...status, phase: 'Paused' };
  const result = {
    ...resultOf(bestValidationAccuracy - 0.01, bestValidationAccuracy),
    bestEpoch: history.indexOf(bestValidationAccuracy) + 1,
    epochs,
    trainingSeconds: 12 * epochs,
  };
  return { ...status, phase: 'Succeeded', result };
}

/** A number in [0, 1) that looks like chance: splitmix32's finish. */
function uniform(index: number): number {
  let bits = Math.imul(index ^ 0x9e3779b9, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 16), 0x27d4eb2f);
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
}
