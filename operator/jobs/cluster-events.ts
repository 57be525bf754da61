import type { ClusterEvent } from './objects.ts';

/** The newest Event with one of these reasons about the object with this uid. */
export function newestEvent(
  events: readonly ClusterEvent[],
  uid: string | undefined,
  reasons: readonly string[],
): ClusterEvent | undefined {
  return events
    .filter((event) => event.involvedObject.uid === uid && reasons.includes(event.reason ?? ''))
    .sort((a, b) => timeOf(b) - timeOf(a))[0];
}

function timeOf({ series, lastTimestamp, eventTime, firstTimestamp }: ClusterEvent): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? '') || 0;
}
