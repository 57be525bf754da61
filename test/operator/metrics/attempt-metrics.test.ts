import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Run } from '../../../operator/controllers/kinds.ts';
import type { Job, Pod } from '../../../operator/jobs/objects.ts';
import { AttemptMetrics } from '../../../operator/metrics/attempt-metrics.ts';
import type { Condition } from '../../../src/api/meta.ts';
import type { RunPod, RunStatus } from '../../../src/api/run.ts';
import { jobWith, podWith, queuedExperiment, queuedJob, running, runWith, started } from '../jobs/world.ts';
import { known } from './caches.ts';

const key = 'lab/study-run';
const uid = 'uid-of-study-run-abcde';

let runs: ReturnType<typeof known<Run>>;
let jobs: ReturnType<typeof known<Job>>;
let pods: ReturnType<typeof known<Pod>>;
let registry: Registry;
let attempts: AttemptMetrics;
let unfollow: () => void;
beforeEach(() => {
  runs = known<Run>([runWith()]);
  jobs = known<Job>([jobWith()]);
  pods = known<Pod>([podWith(running())]);
  registry = new Registry();
  attempts = new AttemptMetrics(registry);
  unfollow = attempts.follow({ runs, jobs, pods });
});

/** The status of the Run becomes this. */
function becomes(status: Partial<RunStatus>): void {
  runs.cache.set(runWith({}, { status }));
}

function record(changes: Partial<RunPod> = {}): RunPod {
  return { uid, name: 'study-run-abcde', gpuSeconds: 0, ...changes };
}

function failure(reason: string): Condition[] {
  const [status, lastTransitionTime] = ['True', started] as const;
  return [{ type: 'LastAttemptFailed', status, reason, message: 'Why.', lastTransitionTime }];
}

/** Sums and counts of a histogram. */
async function told(name: string): Promise<readonly string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => new RegExp(`^${name}_(sum|count)`).test(line));
}

const failures = () => Object.fromEntries(attempts.failuresOf(key));

describe('waits', () => {
  it('are counted once, when the Run is known to have started', async () => {
    becomes({ phase: 'Starting', pods: [record()] });
    expect(await told('destillml_run_startup_seconds')).toEqual([]);
    becomes({ phase: 'Running', pods: [record({ startTime: started })] });
    becomes({ phase: 'Running', pods: [record({ startTime: started, gpuSeconds: 60 })] });
    expect(await told('destillml_run_startup_seconds')).toEqual([
      'destillml_run_startup_seconds_sum{namespace="lab"} 30',
      'destillml_run_startup_seconds_count{namespace="lab"} 1',
    ]);
    expect(await told('destillml_run_queue_wait_seconds')).toEqual([
      'destillml_run_queue_wait_seconds_sum{namespace="lab"} 0',
      'destillml_run_queue_wait_seconds_count{namespace="lab"} 1',
    ]);
  });

  it('tell the queue that the Job is in', async () => {
    jobs.cache.replace([queuedJob({ suspend: false })]);
    pods.cache.replace([podWith({ ...running(), experiment: queuedExperiment })]);
    becomes({ phase: 'Running', pods: [record({ startTime: started })] });
    expect(await told('destillml_run_startup_seconds')).toContain(
      'destillml_run_startup_seconds_count{namespace="lab",queue="vision"} 1',
    );
  });

  it('are not counted again by the next operator, which finds them in the status', async () => {
    becomes({ phase: 'Running', pods: [record({ startTime: started })] });
    const next = new Registry();
    new AttemptMetrics(next).follow({ runs, jobs, pods });
    becomes({ phase: 'Running', pods: [record({ startTime: started, gpuSeconds: 60 })] });
    expect(await next.metrics()).not.toContain('_count');
  });

  it('are counted no more once it leads no longer', async () => {
    unfollow();
    becomes({ phase: 'Running', pods: [record({ startTime: started })] });
    expect(await told('destillml_run_startup_seconds')).toEqual([]);
  });

  it('are not known of a pod that is gone, or has given its name to another', async () => {
    pods.cache.replace([]);
    becomes({ phase: 'Running', pods: [record({ startTime: started })] });
    pods.cache.replace([podWith(running())]);
    becomes({ phase: 'Running', pods: [record({ uid: 'another', startTime: started })] });
    expect(await told('destillml_run_startup_seconds')).toEqual([]);
  });
});

describe('failures', () => {
  const failed = record({ startTime: started, outcome: 'Failed' });

  it('are counted by the reason of the attempt, each once', () => {
    becomes({ phase: 'Running', pods: [record({ startTime: started })] });
    expect(failures()).toEqual({});
    becomes({ phase: 'Starting', pods: [failed], conditions: failure('OutOfMemory') });
    becomes({ phase: 'Starting', pods: [{ ...failed, gpuSeconds: 60 }], conditions: failure('OutOfMemory') });
    expect(failures()).toEqual({ OutOfMemory: 1 });
    const again = record({ uid: 'second', outcome: 'Failed' });
    becomes({
      phase: 'Failed',
      reason: 'TrainingDiverged',
      pods: [failed, again],
      conditions: failure('TrainingDiverged'),
    });
    expect(failures()).toEqual({ OutOfMemory: 1, TrainingDiverged: 1 });
  });

  it('are one where the last attempt fails and then, once the Job says that none is left, the Run', () => {
    becomes({ phase: 'Running', pods: [record({ startTime: started })] });
    const conditions = failure('OutOfMemory');
    becomes({ phase: 'Starting', reason: 'OutOfMemory', pods: [failed], conditions });
    becomes({ phase: 'Failed', reason: 'OutOfMemory', pods: [failed], conditions });
    expect(failures()).toEqual({ OutOfMemory: 1 });
  });

  it('are two where an attempt fails and then the Run for another reason', () => {
    const conditions = failure('OutOfMemory');
    becomes({ phase: 'Starting', reason: 'OutOfMemory', pods: [failed], conditions });
    becomes({ phase: 'Failed', reason: 'DeadlineExceeded', pods: [failed], conditions });
    expect(failures()).toEqual({ OutOfMemory: 1, DeadlineExceeded: 1 });
  });

  it('are those of Runs too that end for another reason than an attempt', () => {
    becomes({ phase: 'Failed', reason: 'DeadlineExceeded', pods: [record({ outcome: 'Stopped' })] });
    expect(failures()).toEqual({ DeadlineExceeded: 1 });
  });

  it('have reasons that are known, or Other', () => {
    becomes({ phase: 'Failed', reason: 'SomethingOfTheirOwn' });
    expect(failures()).toEqual({ Other: 1 });
  });

  it('are none where a Run was preempted or stopped', () => {
    becomes({ phase: 'Queued', reason: 'Preempted', pods: [record({ outcome: 'Preempted' })] });
    becomes({ phase: 'Stopped', reason: 'Stopped', pods: [record({ outcome: 'Stopped' })] });
    expect(failures()).toEqual({});
  });

  it('go with their Run', () => {
    becomes({ phase: 'Failed', reason: 'TrainingDiverged' });
    runs.cache.replace([]);
    expect(failures()).toEqual({});
  });
});
