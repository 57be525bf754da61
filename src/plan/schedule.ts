import type { Experiment } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import { hasEnded, holdsSlot, isActive, isAtRung, isOpen } from './phases.ts';
import type { TeacherState } from './teacher.ts';

export type Schedule = {
  readonly start: readonly string[];
  readonly pause: readonly string[];
  /** Slots that are left. */
  readonly free: number;
};

/**
 * Which Runs may train now, and which must make room.
 *
 * `runs` are all Runs in the order in which they are wanted; `stopping` the names of those that this plan stops.
 * Slots go to the teacher, then to Runs that have trained already (earliest first), then by the order given. A Run
 * that was paused or stopped keeps its slot until its pod is gone, so that two pods never share it. As with a Job, a
 * lower `parallelism` pauses the excess: the Runs that started last, never the teacher before others.
 */
export function schedule(
  { spec }: Experiment,
  runs: readonly Run[],
  stopping: ReadonlySet<string>,
  teacher: TeacherState,
): Schedule {
  const ordered = byPrecedence(runs.filter((run) => !hasEnded(run) && !isAtRung(run)));
  const active = ordered.filter((run) => isActive(run) && !stopping.has(run.metadata.name));
  const allowed = spec.suspend ? 0 : spec.parallelism;
  const pause = active.slice(allowed);

  const held = new Set(ordered.filter(holdsSlot));
  const start: Run[] = [];
  for (const run of ordered) {
    if (!isOpen(run) || isActive(run) || isAtRung(run) || stopping.has(run.metadata.name)) continue;
    if (run.spec.parameters.role === 'distilled' && teacher.state !== 'ready') continue;
    if (active.length + start.length >= allowed) break;
    // A Run that is still on its way out takes up its own slot again.
    if (held.size >= allowed && !held.has(run)) continue;
    held.add(run);
    start.push(run);
  }
  const taken = Math.max(active.length + start.length, held.size);
  return { start: start.map(nameOf), pause: pause.map(nameOf), free: Math.max(0, allowed - taken) };
}

function byPrecedence(runs: readonly Run[]): readonly Run[] {
  return runs
    .map((run) => {
      const { startTime } = run.status ?? {};
      const rank = run.spec.parameters.role === 'teacher' ? 0 : startTime ? 1 : 2;
      return { run, rank, begun: startTime ? Date.parse(startTime) || 0 : 0 };
    })
    .sort((a, b) => a.rank - b.rank || a.begun - b.begun)
    .map(({ run }) => run);
}

function nameOf(run: Run): string {
  return run.metadata.name;
}
