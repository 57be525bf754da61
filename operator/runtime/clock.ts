/** Time as the runtime sees it; an argument everywhere, so that tests can hold it still. */
export type Clock = {
  /** Milliseconds since 1970: for what others read. It jumps when somebody sets it. */
  now(): number;
  /** Milliseconds since some moment: for durations. It never jumps. */
  monotonic(): number;
  /** Calls `action` once, `milliseconds` from now. @returns what calls it off; its owner calls that when it ends */
  after(milliseconds: number, action: () => void): () => void;
};

/** A number in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, action) => {
    // Above this, Node's timers fire at once.
    const timer = setTimeout(action, Math.min(milliseconds, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** @throws the signal's reason, when it is aborted before the time is over */
export async function sleep(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const finish = (settle: () => void) => () => {
      cancel();
      signal.removeEventListener('abort', aborted);
      settle();
    };
    const cancel = clock.after(
      milliseconds,
      finish(() => resolve()),
    );
    const aborted = finish(() => reject(signal.reason));
    signal.addEventListener('abort', aborted);
  });
}

/** Kubernetes' MicroTime: RFC 3339 in UTC with exactly six digits, as Leases and Events want it. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/Z$/, '000Z');
}
