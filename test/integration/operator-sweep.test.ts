/** A sweep that is carried out: on a real API server with a real Job controller, by an operator that is killed. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { Run } from '../../operator/controllers/kinds.ts';
import { runs } from '../../operator/controllers/kinds.ts';
import type { Termination } from '../../src/protocol/report.ts';
import { Client } from '../cluster/client.ts';
import { type Ever, watchAll } from './ever.ts';
import { type Play, type PodOfRun, playKubelet, trained } from './kubelet.ts';
import { experiment, Lab, startOperator } from './operator-fixtures.ts';
import { live } from './operator-life.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const maxRuns = 6;
const learningRate = 'training.optimizer.learningRate';

const sweep = (changes: object = {}) => ({
  for: 'students',
  algorithm: { asha: { minEpochs: 2, eta: 2, sampler: 'random' } },
  maxRuns,
  parameters: [{ name: learningRate, double: { min: 0.01, max: 1, scale: 'log' } }],
  ...changes,
});

/** One Run at a time: what is found does not hang on how long each takes. */
const study = (name: string, changes: object = {}, spec: object = {}) =>
  experiment(name, {
    distillation: [],
    training: { epochs: 8 },
    seeds: [1, 2],
    parallelism: 1,
    sweep: sweep(changes),
    ...spec,
  });

/** As a trainer that trains as far as it is told; the higher the learning rate, the better, and better with each epoch. */
function train({ assignment }: PodOfRun): Termination {
  if (assignment === undefined) throw new Error('a trainer that is told nothing');
  const { parameters, untilEpoch = 8 } = assignment;
  const best = 0.5 + parameters.training.optimizer.learningRate / 4;
  if (untilEpoch < 8) {
    const validationAccuracy = Number((best - (8 - untilEpoch) / 100).toFixed(6));
    return { outcome: 'paused', epoch: untilEpoch, validationAccuracy };
  }
  return trained({ validationAccuracy: best, testAccuracy: best - 0.01, epochs: 8, bestEpoch: 2 });
}

/** Of the median rule: the first two are good, and those with a low learning rate never come to their end. */
const rates = [0.5, 0.6, 0.02, 0.7, 0.01];
const isHopeless = ({ learningRate: rate }: { readonly learningRate: number }) => rate < 0.1;

const medianStudy = (name: string) =>
  study(name, {
    algorithm: { random: {} },
    maxRuns: rates.length,
    initial: rates.map((rate) => ({ [learningRate]: rate })),
    earlyStopping: { median: { startEpoch: 2, minRuns: 2 } },
  });

/** What the operator's server writes of the reports of trainers that are hopeless, while they train. */
async function reportHopeless(here: Lab, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { metadata, spec, status } of await here.runs()) {
      const { optimizer } = spec.parameters.training;
      if (!isHopeless(optimizer) || status?.phase !== 'Running' || status.progress !== undefined) continue;
      const progress = { epoch: 4, epochs: 8, step: 0, steps: 9, bestValidationAccuracy: 0.1 };
      await client.send(
        'PATCH',
        `${here.path('runs', metadata.name)}/status`,
        { status: { progress: { ...progress, updatedAt: new Date().toISOString() } } },
        { contentType: 'application/merge-patch+json' },
      );
    }
    await pause(50);
  }
}

type Observed = { readonly here: Lab; readonly kubelet: Play; readonly everRuns: Ever };

async function observed(
  fail: (run: Run['spec']['trial']) => boolean = () => false,
  isStopping = false,
): Promise<Observed> {
  const here = new Lab(client, await client.newNamespace('sweep'));
  const ending = new AbortController();
  const kubelet = playKubelet(client, {
    namespaces: [here.namespace],
    runMilliseconds: ({ assignment }) =>
      assignment !== undefined && isHopeless(assignment.parameters.training.optimizer) && isStopping
        ? Number.POSITIVE_INFINITY
        : 100,
    result: (pod) => {
      const isBroken = fail(pod.assignment?.trial);
      return isBroken ? { outcome: 'failed', code: 'TrainingDiverged', message: 'NaN' } : train(pod);
    },
    signal: ending.signal,
  });
  const watching = watchAll(client.access);
  const reporting = isStopping ? reportHopeless(here, ending.signal) : undefined;
  onTestFinished(async () => {
    ending.abort(new Error('the test is over'));
    await Promise.all([kubelet.ended, watching.stop(), reporting]);
  });
  return { here, kubelet, everRuns: watching.ever(runs, here.namespace) };
}

/** What must be the same however often the operator was killed. */
async function endState({ here }: Observed, name: string) {
  const { status } = await here.experiment(name);
  const all = await here.runs();
  return {
    studies: status?.studies,
    counts: status?.runs,
    runs: all
      .map(({ metadata, spec, status: seen }) => ({
        name: metadata.name,
        trial: spec.trial,
        untilEpoch: spec.untilEpoch,
        ...{ phase: seen?.phase, reason: seen?.reason, rungs: seen?.rungs, result: seen?.result },
        attempts: seen?.attempts,
      }))
      .sort((one, other) => one.name.localeCompare(other.name)),
  };
}

const trialsOf = (all: readonly Run[]) => all.filter(({ spec }) => spec.trial !== undefined);

describe('a sweep', () => {
  it('comes to the same trials, rungs and end when the operator is killed before and after every write', async () => {
    const calm = await observed();
    await calm.here.apply(study('study'));
    expect(await live(client, calm.here, 'study')).toMatchObject({ severed: false });
    const expected = await endState(calm, 'study');
    const trials = trialsOf(await calm.here.runs());
    expect(trials).toHaveLength(maxRuns);
    // Six came to epoch 2, the better three of them to epoch 4, and the best of these to its end.
    expect(trials.map(({ status }) => status?.rungs?.length).toSorted()).toEqual([1, 1, 1, 2, 2, 2]);
    expect(expected.studies).toMatchObject([
      { name: 'small.baseline', state: 'Ended', reason: 'MaxRunsReached' },
    ]);

    const stormy = await observed();
    await stormy.here.apply(study('study'));
    let lives = 0;
    for (let severed = true; severed; lives += 1) {
      const when = lives % 2 === 0 ? 'before' : 'after';
      ({ severed } = await live(client, stormy.here, 'study', { write: 1, when }));
    }
    expect(await endState(stormy, 'study')).toEqual(expected);
    expect(lives).toBeGreaterThan(60);
    for (const { everRuns, kubelet, here } of [calm, stormy]) {
      expect([...everRuns.values()].every(({ size }) => size === 1)).toBe(true);
      expect(kubelet.mostLive(here.namespace)).toBe(1);
    }
  });

  it('stops the same trials by the median rule, while they train, when it is killed before and after every write', async () => {
    const calm = await observed(undefined, true);
    await calm.here.apply(medianStudy('median'));
    expect(await live(client, calm.here, 'median')).toMatchObject({ severed: false });
    const expected = await endState(calm, 'median');
    expect(expected.studies).toMatchObject([
      { state: 'Ended', reason: 'MaxRunsReached', runs: { Succeeded: 3, Stopped: 2 } },
    ]);
    const stopped = trialsOf(await calm.here.runs()).filter(({ status }) => status?.phase === 'Stopped');
    expect(stopped.map(({ spec }) => spec.trial?.number)).toEqual([3, 5]);
    for (const { status } of stopped) expect(status).toMatchObject({ reason: 'BelowMedian', attempts: 1 });

    const stormy = await observed(undefined, true);
    await stormy.here.apply(medianStudy('median'));
    let lives = 0;
    for (let severed = true; severed; lives += 1) {
      const when = lives % 2 === 0 ? 'before' : 'after';
      ({ severed } = await live(client, stormy.here, 'median', { write: 1, when }));
    }
    expect(await endState(stormy, 'median')).toEqual(expected);
    expect(lives).toBeGreaterThan(30);
    for (const { everRuns, kubelet, here } of [calm, stormy]) {
      expect([...everRuns.values()].every(({ size }) => size === 1)).toBe(true);
      expect(kubelet.mostLive(here.namespace)).toBe(1);
    }
  });

  it('ends with what was reached when a Run reaches the goal, and opens again when there is none', async () => {
    const seen = await observed();
    await seen.here.apply(study('goal', { objective: { goal: 0.55 } }, { parallelism: 2 }));
    await startOperator(client.access.kubeconfig, [seen.here.namespace]);
    const ended = await seen.here.until(
      'goal',
      'to be Complete',
      ({ status }) => status?.phase === 'Complete',
    );
    expect(ended.status?.studies).toMatchObject([{ state: 'Ended', reason: 'GoalReached' }]);
    const before = trialsOf(await seen.here.runs());
    await seen.here.change('experiments', 'goal', { sweep: { objective: { goal: null } } });
    const again = await seen.here.until(
      'goal',
      'to be Complete again',
      ({ status }) => status?.phase === 'Complete' && status.studies?.[0]?.reason === 'MaxRunsReached',
    );
    expect(again.status?.studies).toMatchObject([{ state: 'Ended' }]);
    const after = trialsOf(await seen.here.runs());
    expect(after).toHaveLength(maxRuns);
    for (const { metadata, spec } of before) {
      expect(after.find((run) => run.metadata.uid === metadata.uid)?.spec.trial).toEqual(spec.trial);
    }
  });

  it('ends without a result when too many Runs fail', async () => {
    const seen = await observed((trial) => Object.keys(trial?.values ?? {}).length > 0);
    await seen.here.apply(study('broken', { maxFailedRuns: 2 }, { retries: 0 }));
    await startOperator(client.access.kubeconfig, [seen.here.namespace]);
    const ended = await seen.here.until('broken', 'to end', ({ status }) =>
      ['Complete', 'Failed'].includes(status?.phase ?? ''),
    );
    expect(ended.status?.studies).toMatchObject([{ state: 'Failed', reason: 'TooManyRunsFailed' }]);
    expect(trialsOf(await seen.here.runs())).toHaveLength(2);
  });
});
