import { newestEvent } from './cluster-events.ts';
import type { Finding } from './finding.ts';
import type { ClusterEvent, Job } from './objects.ts';
import { sentence } from './sentence.ts';

/** Why an active Job has no pod. The Job controller tells it by Events only. */
export function withoutPod(job: Job, events: readonly ClusterEvent[]): Finding {
  const event = newestEvent(events, job.metadata.uid, ['FailedCreate', 'SuccessfulCreate']);
  if (event?.reason !== 'FailedCreate') {
    return { phase: 'Queued', reason: 'PodPending', message: 'Its pod is about to be created.' };
  }
  // The name of the pod that was refused is another with every try.
  const why = (event.message ?? '')
    .replace(/^Error creating: /, '')
    .replace(/^pods "[^"]*" is forbidden: /, '');
  const { namespace } = job.metadata;
  const quota = /^exceeded quota: ([^,]+), (.*)$/s.exec(why);
  if (quota) {
    return {
      phase: 'Queued',
      reason: 'QuotaExceeded',
      message: `ResourceQuota ${quota[1]} of namespace ${namespace} leaves no room for its pod (${quota[2]}). It starts when other pods of the namespace have ended; or ask for less in spec.pod, or for a larger quota.`,
      blocked: true,
    };
  }
  return {
    phase: 'Queued',
    reason: 'PodRefused',
    message: `The API server refuses its pod in namespace ${namespace}: ${sentence(why)} It is tried again; if nothing else changes, correct spec.pod.`,
    blocked: true,
  };
}
