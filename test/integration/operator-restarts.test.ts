import { afterAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { jobs, type Run, runs } from '../../operator/controllers/kinds.ts';
import { Client } from '../cluster/client.ts';
import { type Ever, watchAll } from './ever.ts';
import { type Play, playKubelet, trained } from './kubelet.ts';
import { experiment, Lab } from './operator-fixtures.ts';
import { live } from './operator-life.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const arms = [
  { name: 'soft', softTargets: {} },
  { name: 'attention', attentionTransfer: {} },
  { name: 'similarity', similarityPreserving: {} },
];
const study = experiment('study', { distillation: arms, seeds: [1, 2], explain: {}, parallelism: 3 });
/** A teacher; per seed a baseline and three arms; the explanation. */
const numberOfRuns = 10;

type Observed = {
  readonly here: Lab;
  readonly kubelet: Play;
  readonly everRuns: Ever;
  readonly everJobs: Ever;
};

async function observed(): Promise<Observed> {
  const here = new Lab(client, await client.newNamespace('restarts'));
  const ending = new AbortController();
  const accuracy = (text: string) => 0.5 + (text.length % 7) / 100;
  const kubelet = playKubelet(client, {
    namespaces: [here.namespace],
    runMilliseconds: 100,
    result: ({ run, labels }) =>
      labels['destillml.io/role'] === 'explanation'
        ? undefined
        : trained({ validationAccuracy: accuracy(run), testAccuracy: accuracy(run) }),
    signal: ending.signal,
  });
  const watching = watchAll(client.access);
  onTestFinished(async () => {
    ending.abort(new Error('the test is over'));
    await Promise.all([kubelet.ended, watching.stop()]);
  });
  const [everRuns, everJobs] = [watching.ever(runs, here.namespace), watching.ever(jobs, here.namespace)];
  return { here, kubelet, everRuns, everJobs };
}

/** What must be the same however often the operator was killed. */
async function endState({ here }: Observed) {
  const { status } = await here.experiment('study');
  const { startTime: _start, completionTime: _end, conditions = [], ...rest } = status ?? { conditions: [] };
  return {
    status: rest,
    conditions: conditions.map(({ type, status: state, reason, message }) => ({
      type,
      state,
      reason,
      message,
    })),
    runs: (await here.runs()).map(summary).sort(({ name: one }, { name: other }) => one.localeCompare(other)),
  };
}

function summary({ metadata, spec, status }: Run) {
  const { phase, reason, message, result, attempts, preemptions, pods = [] } = status ?? {};
  return {
    name: metadata.name,
    labels: metadata.labels,
    spec,
    ...{ phase, reason, message, result, attempts, preemptions },
    outcomes: pods.map(({ outcome }) => outcome),
  };
}

describe('an operator that is killed', () => {
  it('before and after every single write to the API server leaves the same end, one Job and one pod a Run', async () => {
    const calm = await observed();
    await calm.here.apply(study);
    const undisturbed = await live(client, calm.here, 'study');
    expect(undisturbed.severed).toBe(false);
    const expected = await endState(calm);
    expect(expected.runs.map(({ phase }) => phase)).toEqual(Array(numberOfRuns).fill('Succeeded'));

    const stormy = await observed();
    await stormy.here.apply(study);
    const writes: string[] = [];
    let lives = 0;
    for (let severed = true; severed; lives += 1) {
      // Each life ends with its first write: once before it has left, then after it has arrived.
      const life = await live(client, stormy.here, 'study', {
        write: 1,
        when: lives % 2 === 0 ? 'before' : 'after',
      });
      writes.push(...life.writes);
      severed = life.severed;
    }

    expect(await endState(stormy)).toEqual(expected);
    const kinds = [...new Set(writes)].sort();
    expect(kinds).toEqual([
      'PATCH experiments/status',
      'PATCH runs',
      'PATCH runs/status',
      'POST jobs',
      'POST runs',
    ]);
    // At the least each Run was created, got its Job, and its result.
    expect(lives).toBeGreaterThan(2 * numberOfRuns * 3);
    for (const { everRuns, everJobs, kubelet, here } of [calm, stormy]) {
      expect(everRuns.size).toBe(numberOfRuns);
      expect([...everRuns.values()].every(({ size }) => size === 1)).toBe(true);
      expect([...everJobs.keys()].sort()).toEqual([...everRuns.keys()].sort());
      expect([...everJobs.values()].every(({ size }) => size === 1)).toBe(true);
      expect(kubelet.pods()).toHaveLength(numberOfRuns);
      expect(kubelet.mostLive(here.namespace)).toBeLessThanOrEqual(3);
    }
  });
});
