import type { RunPhase } from '@destillml/core/api/meta.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { blockedRuns } from '@destillml/core/plan/blocked.ts';
import { isActive, phaseOf } from '@destillml/core/plan/phases.ts';
import { groupedTable } from '../columns.ts';
import { duration } from './duration.ts';

/** Phases of Runs that are in the queue or out of it with a GPU, in the order that they are shown in. */
const shown: readonly RunPhase[] = ['Running', 'Starting', 'Queued', 'Waiting'];

/**
 * Who trains, who waits for how long, and why: a table, those that have waited longest first.
 *
 * @param everywhere whether they are of several namespaces
 */
export function queueTable(runs: readonly Run[], now: Date, everywhere: boolean): string {
  const open = runs.filter(
    (run) => shown.includes(phaseOf(run)) && run.metadata.deletionTimestamp === undefined,
  );
  if (open.length === 0) return 'nobody trains, and nobody waits\n';
  const groups = shown.flatMap((phase) => {
    const its = open.filter((run) => phaseOf(run) === phase).toSorted((a, b) => since(a) - since(b));
    return its.length === 0
      ? []
      : [{ title: `${phase} (${its.length})`, rows: its.map((run) => rowOf(run, now, everywhere)) }];
  });
  // Names are long: at the end of a line they put nothing out of its column.
  return groupedTable(['FOR', 'EPOCH', 'REASON', 'NAMESPACE', 'RUN'], groups, [
    'end',
    'end',
    'start',
    'start',
    'start',
  ]);
}

function rowOf(run: Run, now: Date, everywhere: boolean): readonly string[] {
  const { namespace = '', name } = run.metadata;
  const { progress, reason = '' } = run.status ?? {};
  const [blocked] = isActive(run) ? blockedRuns([run]) : [];
  return [
    duration(now.getTime() / 1000 - since(run)),
    progress === undefined ? '' : `${progress.epoch}/${progress.epochs}`,
    blocked?.reason ?? reason,
    everywhere ? namespace : '',
    name,
  ];
}

/** When it began to train or, of one that waits, when it was made or last gave way, in seconds since 1970. */
function since({ metadata, status }: Run): number {
  const pod = status?.pods?.at(-1);
  const moments = [pod?.endTime ?? pod?.startTime, metadata.creationTimestamp].map((time) =>
    Date.parse(time ?? ''),
  );
  return (moments.find((time) => !Number.isNaN(time)) ?? 0) / 1000;
}
