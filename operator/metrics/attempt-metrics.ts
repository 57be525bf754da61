import type { RunPod } from '@destillml/core/api/run.ts';
import { failureReason } from '@destillml/core/metrics/failure-reasons.ts';
import { clientOptions } from '@destillml/core/metrics/metric.ts';
import { runMetrics } from '@destillml/core/metrics/runs.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import { Histogram, type Registry } from 'prom-client';
import type { Run } from '../controllers/kinds.ts';
import { conditionOf } from '../controllers/run-happenings.ts';
import type { Known } from '../controllers/world.ts';
import { queueLabel } from '../jobs/kueue-labels.ts';
import type { Job, Pod } from '../jobs/objects.ts';
import type { Change } from '../runtime/cache.ts';
import { keyOf } from '../runtime/resource.ts';
import { waitsOf } from './attempts.ts';

type Attempts = { readonly runs: Known<Run>; readonly jobs: Known<Job>; readonly pods: Known<Pod> };

const none: ReadonlyMap<string, number> = new Map();

/**
 * Waits and failures of attempts, counted as the status of a Run goes from not knowing them to knowing them.
 *
 * What a status says it says for good, so that nothing is counted twice, by no other leader and after no restart. What
 * happens while no operator leads is counted once the next one finds it.
 */
export class AttemptMetrics {
  readonly #queueWait: Histogram<'namespace' | 'queue'>;
  readonly #startup: Histogram<'namespace' | 'queue'>;
  /** By key of the Run, then by reason. */
  readonly #failures = new Map<string, Map<string, number>>();

  constructor(registry: Registry) {
    this.#queueWait = new Histogram(clientOptions(runMetrics.queueWait, registry));
    this.#startup = new Histogram(clientOptions(runMetrics.startup, registry));
  }

  /** Failures of a Run by reason. @param key `namespace/name` */
  failuresOf(key: string): ReadonlyMap<string, number> {
    return this.#failures.get(key) ?? none;
  }

  /** Counts from now on. @returns what ends that */
  follow(world: Attempts): () => void {
    return world.runs.cache.subscribe((change) => this.#see(change, world));
  }

  #see(change: Change<Run>, world: Attempts): void {
    if (change.type === 'deleted') this.#failures.delete(keyOf(change.object.metadata));
    // What is there from the start was counted by who led before.
    if (change.type !== 'updated') return;
    const { old, object } = change;
    this.#seeStarts(old, object, world);
    this.#seeFailures(old, object);
  }

  #seeStarts(old: Run, run: Run, { jobs, pods }: Attempts): void {
    const records = run.status?.pods ?? [];
    const known = new Set(podsOf(old, ({ startTime }) => startTime !== undefined).map(({ uid }) => uid));
    for (const [index, { uid, name, startTime }] of records.entries()) {
      if (startTime === undefined || known.has(uid)) continue;
      const { namespace } = run.metadata;
      const pod = pods.cache.get(keyOf({ namespace, name }));
      if (pod === undefined || pod.metadata.uid !== uid) continue;
      const job = jobs.cache.get(keyOf(run.metadata));
      const { queue, startup } = waitsOf(job, pod, records[index - 1], startTime);
      const labels = { ...placeOf(namespace), ...queueOf(job?.metadata.labels) };
      if (queue !== undefined) this.#queueWait.observe(labels, queue);
      if (startup !== undefined) this.#startup.observe(labels, startup);
    }
  }

  #seeFailures(old: Run, run: Run): void {
    const known = new Set(podsOf(old, hasFailed).map(({ uid }) => uid));
    const failed = podsOf(run, hasFailed).filter(({ uid }) => !known.has(uid)).length;
    const gaveUp = phaseOf(run) === 'Failed' && phaseOf(old) !== 'Failed';
    const attempt = conditionOf(run.status, 'LastAttemptFailed');
    const attemptFailed = attempt?.status === 'True';
    // After the last attempt, the status tells of its failure first, and of the Run's once the Job follows: that is one.
    const told = attemptFailed && attempt.reason === run.status?.reason;
    if (failed > 0) this.#count(run, attemptFailed ? attempt.reason : run.status?.reason, failed);
    else if (gaveUp && !told) this.#count(run, run.status?.reason, 1);
  }

  #count(run: Run, reason = '', times: number): void {
    const key = keyOf(run.metadata);
    const counts = this.#failures.get(key) ?? new Map<string, number>();
    const name = failureReason(reason);
    this.#failures.set(key, counts.set(name, (counts.get(name) ?? 0) + times));
  }
}

function podsOf(run: Run, which: (pod: RunPod) => boolean): readonly RunPod[] {
  return (run.status?.pods ?? []).filter(which);
}

function hasFailed({ outcome }: RunPod): boolean {
  return outcome === 'Failed';
}

function placeOf(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

function queueOf(labels: Readonly<Record<string, string>> | undefined): { readonly queue?: string } {
  const queue = labels?.[queueLabel];
  return queue === undefined ? {} : { queue };
}
