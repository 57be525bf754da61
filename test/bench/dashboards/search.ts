import type { Experiment, Run } from '../../../operator/controllers/kinds.ts';
import { type ExperimentStatus, experiment as experimentSchema } from '../../../src/api/experiment.ts';
import type { RunStatus } from '../../../src/api/run.ts';
import { plan } from '../../../src/plan/plan.ts';
import { randomOf } from '../../../src/search/random.ts';

const trialsEach = 100;
/** Trials that train at the same time, and the seconds and epochs to the rung. */
const [atOnce, toRung, rung, epochs] = [8, 300, 9, 27];
const arms = ['baseline', 'soft'] as const;

/** A search of two studies, of which the better third goes on from the rung to the end. */
export class Search {
  readonly experiment: Experiment;
  readonly #created: number;
  readonly #trials: readonly { readonly run: Run; readonly accuracy: number; readonly goesOn: boolean }[];

  /** @param created in seconds since 1970 */
  constructor(created: number) {
    this.#created = created;
    this.experiment = experimentSchema.parse({
      apiVersion: 'destillml.io/v1alpha1',
      kind: 'Experiment',
      metadata: {
        name: 'sweep-cifar100',
        namespace: 'team-0',
        uid: 'sweep',
        generation: 1,
        creationTimestamp: text(created),
      },
      spec: {
        dataset: { name: 'cifar100' },
        teacher: { model: 'resnet101' },
        students: [{ name: 'small', model: 'resnet18' }],
        distillation: [{ name: 'soft', softTargets: {} }],
        seeds: [1],
        training: { epochs },
      },
    });
    this.#trials = this.#made();
  }

  /** Its trials at a moment. */
  at(time: number): readonly { readonly run: Run; readonly status: RunStatus }[] {
    return this.#trials.map(({ run, accuracy, goesOn }, index) => {
      const start = this.#created + 600 + Math.floor(index / atOnce) * toRung;
      const share = Math.min((time - start) / toRung, goesOn ? 3 : 1);
      if (share < 0) return { run, status: { phase: 'Waiting', conditions: [] } };
      const epoch = Math.floor(share * rung);
      const reached = accuracy * (1 - Math.exp(-epoch / 6));
      const progress = {
        epoch,
        epochs,
        step: 0,
        steps: 352,
        validationAccuracy: reached,
        bestValidationAccuracy: reached,
        updatedAt: text(time),
      };
      const rungs =
        epoch < rung ? [] : [{ epoch: rung, validationAccuracy: accuracy * (1 - Math.exp(-1.5)) }];
      const phase = share >= 3 ? 'Succeeded' : share >= 1 && !goesOn ? 'Paused' : 'Running';
      return { run, status: { phase, conditions: [], progress, rungs, attempts: 1, startTime: text(start) } };
    });
  }

  /** What its status says of the studies at a moment. */
  studies(time: number): NonNullable<ExperimentStatus['studies']> {
    const trials = this.at(time);
    return arms.map((arm) => {
      const own = trials.filter(({ run }) => run.spec.trial?.study === `small.${arm}`);
      const byPhase = Map.groupBy(own, ({ status }) => status.phase);
      const best = own.toSorted((a, b) => bestOf(b.status) - bestOf(a.status))[0];
      const { trial } = best?.run.spec ?? {};
      return {
        name: `small.${arm}`,
        state: 'Searching' as const,
        reason: 'Training',
        message: 'Some train.',
        runs: Object.fromEntries([...byPhase].map(([phase, its]) => [phase, its.length])),
        ...(best === undefined || trial === undefined || bestOf(best.status) === 0
          ? {}
          : {
              best: {
                run: best.run.metadata.name,
                number: trial.number,
                validationAccuracy: bestOf(best.status),
                values: trial.values,
              },
            }),
      };
    });
  }

  #made() {
    const random = randomOf('lab', 'sweep');
    const wanted = plan({ experiment: this.experiment, runs: [], now: new Date(0) }).create;
    return Array.from({ length: trialsEach * arms.length }, (_, index) => {
      const arm = arms[index % arms.length] ?? 'soft';
      const like = wanted.find(({ spec: { parameters } }) => (parameters.arm ?? parameters.role) === arm);
      if (like === undefined) throw new Error(`the plan has no ${arm}`);
      const [rate, temperature] = [10 ** (-3 + 3 * random()), 1 + 9 * random()];
      const number = Math.floor(index / arms.length) + 1;
      const name = `sweep-cifar100-small-${arm}-t${number}`;
      const values = {
        'training.optimizer.learningRate': Number(rate.toPrecision(3)),
        ...(arm === 'soft'
          ? { 'distillation.softTargets.temperature': Number(temperature.toPrecision(2)) }
          : {}),
      };
      const gain = arm === 'soft' ? 0.03 - 0.005 * Math.abs(temperature - 4) : 0;
      const accuracy = 0.7 - 0.12 * Math.abs(Math.log10(rate) + 0.8) + gain + 0.02 * random();
      const run = {
        ...like,
        metadata: {
          ...like.metadata,
          name,
          uid: name,
          generation: 1,
          creationTimestamp: text(this.#created),
        },
        spec: {
          ...like.spec,
          suspend: false,
          trial: { study: `small.${arm}`, number, values, summary: '' },
          parameters: { ...like.spec.parameters, stage: 'search' as const },
        },
      } as Run;
      return { run, accuracy, goesOn: accuracy > 0.62 };
    });
  }
}

function bestOf({ progress }: RunStatus): number {
  return progress?.bestValidationAccuracy ?? 0;
}

function text(time: number): string {
  return new Date(time * 1000).toISOString();
}
