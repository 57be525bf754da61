import type { Clock } from './clock.ts';

export type Deadline = {
  /** Aborted with what `late` makes once the time is over, or with the reason of the outer signal. */
  readonly signal: AbortSignal;
  /** Starts the time anew. */
  extend(milliseconds: number, late: () => Error): void;
  /** Stops the timer and lets go of the outer signal. */
  close(): void;
};

/**
 * A signal for one piece of work inside longer work.
 *
 * `AbortSignal.any` would do, but a signal that lives as long as the process would remember every one of them.
 */
export function deadline(
  clock: Clock,
  milliseconds: number,
  late: () => Error,
  outer: AbortSignal,
): Deadline {
  const controller = new AbortController();
  const timer = (after: number, reason: () => Error) => clock.after(after, () => controller.abort(reason()));
  const follow = () => controller.abort(outer.reason);
  let cancel = timer(milliseconds, late);
  if (outer.aborted) follow();
  outer.addEventListener('abort', follow);
  return {
    signal: controller.signal,
    extend: (after, reason) => {
      cancel();
      cancel = timer(after, reason);
    },
    close: () => {
      cancel();
      outer.removeEventListener('abort', follow);
    },
  };
}
