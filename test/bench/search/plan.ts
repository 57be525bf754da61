import type { Experiment } from '../../../src/api/experiment.ts';
import type { Run } from '../../../src/api/run.ts';
import { parseExperiment } from '../../../src/api/validate.ts';
import { plan } from '../../../src/plan/plan.ts';
import type { Memory } from '../../../src/plan/wanted.ts';
import { suggest } from '../../../src/search/study.ts';
import { median } from './quality.ts';

const changes = 60;
const epochs = 90;
const names = [
  'training.optimizer.learningRate',
  'training.optimizer.momentum',
  'training.optimizer.weightDecay',
];

export type PlanCost = {
  /** Of a plan after one of the Runs has changed. */
  readonly milliseconds: number;
  /** Of the whole Experiment, status and all, as JSON. */
  readonly bytes: number;
};

/** What a plan costs with so many trials of a study by ASHA, each of which gives room for another. */
export function planCost(trials: number): PlanCost {
  const experiment = searching(trials);
  let runs = trialsOf(experiment, trials);
  const memory: Memory = {};
  const now = new Date();
  const first = plan({ experiment, runs, now }, memory);
  const times = Array.from({ length: changes }, (_, index) => {
    runs = runs.with(index, { ...runs[index] } as Run);
    const start = performance.now();
    plan({ experiment, runs, now }, memory);
    return performance.now() - start;
  });
  const bytes = Buffer.byteLength(JSON.stringify({ ...experiment, status: first.status }));
  return { milliseconds: median(times), bytes };
}

function searching(trials: number): Experiment {
  return parseExperiment({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'searching', namespace: 'lab' },
    spec: {
      dataset: { name: 'mnist' },
      teacher: { from: { run: 'teacher' } },
      students: [{ name: 'small', model: 'resnet8' }],
      training: { epochs },
      sweep: {
        for: 'students',
        algorithm: { asha: { minEpochs: 10 } },
        maxRuns: trials,
        parameters: names.map((name) => ({ name, double: { min: 0.001, max: 0.9 } })),
      },
    },
  });
}

/** All of them at the first rung. */
function trialsOf(experiment: Experiment, count: number): readonly Run[] {
  const [first] = plan({ experiment, runs: [], now: new Date() }).create;
  if (first?.spec.trial === undefined) throw new Error('the plan makes no trial');
  const { metadata, spec } = first;
  const space = names.map(
    (name) => ({ name, kind: 'double', min: 0.001, max: 0.9, scale: 'linear' }) as const,
  );
  const study = { name: 'random', seed: 1, space, epochs, initial: [], algorithm: { random: {} } };
  return Array.from({ length: count }, (_, index): Run => {
    const number = index + 1;
    const values = (suggest(study, [], number) ?? {}) as Record<string, number>;
    const validationAccuracy = values[names[0] ?? ''] ?? 0;
    return {
      ...first,
      metadata: { ...metadata, name: `searching-${number}`, generation: 1 },
      spec: { ...spec, trial: { study: spec.trial?.study ?? '', number, values, summary: '' } },
      status: { phase: 'Paused', conditions: [], rungs: [{ epoch: 10, validationAccuracy }] },
    };
  });
}
