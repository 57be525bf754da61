import { describe, expect, it } from 'vitest';
import { waitsOf } from '../../../operator/metrics/attempts.ts';
import type { RunPod } from '../../../src/api/run.ts';
import { jobWith, podWith } from '../jobs/world.ts';

const at = (clock: string) => `2026-11-24T${clock}Z`;
const job = jobWith({ metadata: { creationTimestamp: at('12:00:00') } });
const scheduled = (time: string) => ({
  conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: at(time) }],
});
const pod = podWith({ created: at('12:04:00'), status: scheduled('12:05:00') });
const previous = (outcome: RunPod['outcome'], endTime: string): RunPod => ({
  uid: 'previous',
  name: 'previous',
  gpuSeconds: 0,
  endTime: at(endTime),
  ...(outcome === undefined ? {} : { outcome }),
});
const started = at('12:05:30');

describe('what an attempt waited for', () => {
  it.each([
    ['a node since its Job is there, then its trainer', undefined, 300],
    ['a node since the pod before it gave way', previous('Preempted', '12:02:00'), 180],
    [
      'a node since its Job is there, where that is newer: it was paused before',
      previous('Stopped', '11:00:00'),
      300,
    ],
    ['a node since its Job is there, not since the rung before', previous('Succeeded', '11:00:00'), 300],
    [
      'a node since it is there itself, after a failure: Kubernetes pauses',
      previous('Failed', '12:02:00'),
      60,
    ],
  ])('is %s', (_, earlier, queue) => {
    expect(waitsOf(job, pod, earlier, started)).toEqual({ queue, startup: 30 });
  });

  it('is counted from the pod where the Job is gone, and never negative', () => {
    expect(waitsOf(undefined, pod, undefined, at('12:04:59'))).toEqual({ queue: 60, startup: 0 });
  });

  it('is not known where nobody told when it got its node', () => {
    expect(waitsOf(job, podWith({}), undefined, started)).toEqual({ queue: undefined, startup: undefined });
  });
});
