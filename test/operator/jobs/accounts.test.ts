import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Accounts, accounts } from '../../../operator/jobs/accounts.ts';
import type { Pod } from '../../../operator/jobs/objects.ts';
import type { RunStatus } from '../../../src/api/run.ts';
import {
  earlier,
  experimentWith,
  finished,
  now,
  podWith,
  running,
  started,
  terminated,
  waiting,
} from './world.ts';

const context = { told: false, podsRead: true, now };
const written = (known: Accounts): RunStatus => ({ phase: 'Running', conditions: [], ...known });

describe('what a Run has used', () => {
  it('is nothing for a pod that no node has', () => {
    expect(accounts(undefined, [podWith({ node: '' })], context)).toEqual({
      attempts: 0,
      preemptions: 0,
      gpuSeconds: 0,
      pods: [],
    });
  });

  it('has an attempt of a pod that trained though nobody said on which node', () => {
    const { attempts, gpuSeconds, pods } = accounts(
      undefined,
      [podWith({ ...terminated(75), node: '' })],
      context,
    );
    expect({ attempts, gpuSeconds }).toEqual({ attempts: 1, gpuSeconds: 1000 });
    expect(pods[0]).not.toHaveProperty('node');
  });

  it('has no attempt and no time of a pod whose trainer has not started', () => {
    expect(accounts(undefined, [podWith(waiting('ContainerCreating'))], context)).toMatchObject({
      attempts: 0,
      gpuSeconds: 0,
      pods: [{ uid: 'uid-of-study-run-abcde', node: 'gpu-1' }],
    });
  });

  it('has no time of a trainer that could not be started, which the runtime says began in 1970', () => {
    const pod = podWith(terminated(128, undefined, { reason: 'StartError' }));
    const since1970 = JSON.parse(JSON.stringify(pod).replaceAll(started, '1970-01-01T00:00:00Z'));
    const { attempts, gpuSeconds, pods } = accounts(undefined, [since1970], context);
    expect({ attempts, gpuSeconds }).toEqual({ attempts: 0, gpuSeconds: 0 });
    expect(pods).toMatchObject([{ outcome: 'Failed' }]);
    expect(pods[0]).not.toHaveProperty('startTime');
  });

  it('counts a pod that trains in full minutes, and to the second once it has ended', () => {
    const at = (time: string) => ({ ...context, now: new Date(time) });
    const pods = [podWith(running())];
    expect(accounts(undefined, pods, at('2026-11-24T12:02:59Z')).gpuSeconds).toBe(120);
    expect(accounts(undefined, pods, at('2026-11-24T12:03:00Z')).gpuSeconds).toBe(240);
    expect(accounts(undefined, [podWith(terminated(0))], context).gpuSeconds).toBe(1000);
  });

  it('is no time on a clock that is behind', () => {
    expect(accounts(undefined, [podWith(running())], { ...context, now: new Date(earlier) }).gpuSeconds).toBe(
      0,
    );
  });

  it('is set right when a clock that was a day ahead is right again', () => {
    const at = (time: string) => ({ ...context, now: new Date(time) });
    const wrong = written(accounts(undefined, [podWith(running())], at('2026-11-25T12:03:00Z')));
    expect(wrong.gpuSeconds).toBe(173_040);
    expect(accounts(wrong, [podWith(running())], at('2026-11-24T12:03:00Z')).gpuSeconds).toBe(240);
    expect(accounts(wrong, [podWith(terminated(0))], context).gpuSeconds).toBe(1000);
  });

  it('does not go back for a clock that differs by some seconds', () => {
    const at = (time: string) => ({ ...context, now: new Date(time) });
    const known = written(accounts(undefined, [podWith(running())], at('2026-11-24T12:03:00Z')));
    expect(accounts(known, [podWith(running())], at('2026-11-24T12:02:58Z')).gpuSeconds).toBe(240);
  });

  it('is not more than the pod is there where the clock of its node is a day behind', () => {
    const behind: Pod = JSON.parse(
      JSON.stringify(podWith(running())).replaceAll(started, '2026-11-23T12:01:00Z'),
    );
    const { gpuSeconds } = accounts(undefined, [behind], {
      ...context,
      now: new Date('2026-11-24T12:03:00Z'),
    });
    expect(gpuSeconds).toBeGreaterThanOrEqual(240);
    expect(gpuSeconds).toBeLessThanOrEqual(2 * (150 + 60));
  });

  it('has no GPU time without GPUs', () => {
    const pod = podWith({ ...terminated(0), experiment: experimentWith({ pod: { gpus: 0 } }) });
    expect(accounts(undefined, [pod], context)).toMatchObject({ attempts: 1, gpuSeconds: 0 });
  });

  it('keeps what was counted of a pod that vanished, and calls it preempted unless it was told to go', () => {
    const known = written(accounts(undefined, [podWith(running())], context));
    expect(accounts(known, [], context)).toEqual({
      attempts: 1,
      preemptions: 1,
      gpuSeconds: 1200,
      pods: [
        {
          uid: 'uid-of-study-run-abcde',
          name: 'study-run-abcde',
          node: 'gpu-1',
          startTime: started,
          gpuSeconds: 1200,
          outcome: 'Preempted',
        },
      ],
    });
    expect(accounts(known, [], { ...context, told: true })).toMatchObject({ attempts: 1, preemptions: 0 });
  });

  it('does not change what was seen of the end of a pod', () => {
    const known = written(accounts(undefined, [podWith(terminated(75))], context));
    const deleted = podWith({ ...terminated(75), metadata: { deletionTimestamp: finished } });
    expect(accounts(known, [deleted], { ...context, told: true })).toEqual({
      attempts: 1,
      preemptions: 1,
      gpuSeconds: 1000,
      pods: known.pods,
    });
  });

  it('counts a pod that was preempted before its trainer started', () => {
    const known = written(accounts(undefined, [podWith(waiting('ContainerCreating'))], context));
    expect(accounts(known, [], context)).toMatchObject({ attempts: 0, preemptions: 1, gpuSeconds: 0 });
  });

  it('forgets the records of old pods that are gone, and not what they used', () => {
    const all = podsInOrder(40);
    const gone = all.reduce(
      (known, pod) => written(accounts(known, [pod], context)),
      undefined as RunStatus | undefined,
    );
    expect(gone).toMatchObject({ attempts: 40, gpuSeconds: 40_000, preemptions: 40 });
    expect(gone?.pods).toHaveLength(16);
    expect(accounts(gone, [], context)).toMatchObject({ attempts: 40, gpuSeconds: 40_000, preemptions: 40 });
  });

  it('remembers every pod that still exists', () => {
    const all = podsInOrder(40);
    const known = written(accounts(undefined, all, context));
    expect(known.pods).toHaveLength(40);
    expect(accounts(known, all, context)).toMatchObject({ attempts: 40, gpuSeconds: 40_000 });
  });

  it('is the same however often, and at whichever moments, pods that end were looked at', () => {
    const look = fc.record({ seen: fc.nat({ max: 5 }), ended: fc.boolean() });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 20 }), fc.nat({ max: 5 }), (looks, kept) => {
        // Pods run one after another: when the last of `seen` runs, those before it have ended.
        const upTo = (seen: number, ended: boolean, from = 0): Pod[] =>
          podsInOrder(6)
            .slice(0, seen + 1)
            .map((pod, index) => (index < seen || ended ? pod : { ...pod, status: running().status! }))
            .slice(from);
        const ordered = looks.toSorted((a, b) => a.seen - b.seen || Number(a.ended) - Number(b.ended));
        const known = ordered.reduce(
          (status, { seen, ended }) =>
            written(accounts(status, upTo(seen, ended), { ...context, now: new Date(finished) })),
          undefined as RunStatus | undefined,
        );
        const last = accounts(known, upTo(5, true), context);
        expect(last).toMatchObject({ attempts: 6, preemptions: 6, gpuSeconds: 6000 });
        // Pods that are deleted after that leave what they used.
        expect(accounts(written(last), upTo(5, true, kept), context)).toMatchObject({
          attempts: 6,
          preemptions: 6,
          gpuSeconds: 6000,
        });
      }),
    );
  });
});

/** Preempted pods of 500 s each. */
function podsInOrder(count: number): Pod[] {
  return Array.from({ length: count }, (_, index) =>
    podWith({
      name: `study-run-${index}`,
      created: new Date(Date.parse(started) - (count - index) * 1000).toISOString(),
      ...terminated(75),
    }),
  );
}
