import { describe, expect, test } from 'vitest';
import { runOfToken } from '../../../operator/server/bound-pod.ts';
import { lookupOf, objects, podUser } from './world.ts';

const target = { namespace: 'lab', name: 'small' };
type Objects = ReturnType<typeof objects>;

describe('the Run of a token', () => {
  test('is that of the pod which the token is bound to', () => {
    expect(runOfToken(podUser(), target, lookupOf(objects())).uid).toBe('run-uid');
  });

  test.each<[string, number, (all: Objects) => unknown]>([
    ['there is no such Run', 404, ({ runs }) => runs.delete('lab/small')],
    ['the pod is gone', 403, ({ pods }) => pods.delete('lab/small-x1')],
    [
      'another pod has its name',
      403,
      ({ pods }) => {
        pods.get('lab/small-x1')!.metadata.uid = 'new-uid';
      },
    ],
    [
      'the pod is of a deleted Run of that name',
      403,
      ({ runs }) => runs.set('lab/small', { metadata: { uid: 'new-run' } }),
    ],
    ['its Job is gone', 403, ({ jobs }) => jobs.delete('lab/small')],
    [
      'another Job has the name of its Job',
      403,
      ({ jobs }) => {
        jobs.get('lab/small')!.metadata.uid = 'new-job';
      },
    ],
    [
      'its Job is not of the Run',
      403,
      ({ jobs }) => {
        jobs.get('lab/small')!.metadata.ownerReferences = [];
      },
    ],
    [
      'somebody made a pod that only has the labels',
      403,
      ({ pods }) => {
        pods.get('lab/small-x1')!.metadata.ownerReferences = [];
      },
    ],
    [
      'its label names another Run',
      403,
      ({ pods }) => {
        pods.get('lab/small-x1')!.metadata.labels['destillml.io/run'] = 'other';
      },
    ],
  ])('is none where %s', (_, status, change) => {
    const all = objects();
    change(all);
    expect(() => runOfToken(podUser(), target, lookupOf(all))).toThrow(expect.objectContaining({ status }));
  });

  test.each([
    ['a person', podUser({ username: 'jane' })],
    ['a service account elsewhere', podUser({ username: 'system:serviceaccount:lab-2:default' })],
    ['no pod', podUser({ extra: {} })],
  ])('is none for a token of %s, and whether the Run exists is not told', (_, user) => {
    const all = objects();
    all.runs.clear();
    expect(() => runOfToken(user, target, lookupOf(all))).toThrow(expect.objectContaining({ status: 403 }));
  });
});
