import type { Report } from '@destillml/core/protocol/report.ts';
import { PostError, type PushedReport } from './post.ts';

export type PushDeps = {
  /** Sends a report once. @throws PostError or an error of the system; the signal's reason once that is aborted */
  readonly post: (report: PushedReport, signal: AbortSignal) => Promise<void>;
  /** Calls `action` once, so many milliseconds from now; the returned function calls it off. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
  readonly warn: (message: string) => void;
};

/** Milliseconds. */
const interval = 5_000;
const longestBackOff = 60_000;
const patience = 5_000;
/** Epochs that the protocol takes beside the one that is reported. */
const earlierEpochs = 128;

/**
 * Reports to the operator at most every five seconds: always the latest, and the accuracies of all epochs since the
 * last report that arrived. It never throws, and nobody waits for it but `close`.
 */
export class Pusher {
  readonly #deps: PushDeps;
  readonly #stop = new AbortController();
  #pending: PushedReport | undefined;
  #sending: Promise<void> | undefined;
  /** Calls off the end of the pause; undefined: there is none. */
  #endPause: (() => void) | undefined;
  /** In a row. */
  #failures = 0;

  constructor(deps: PushDeps) {
    this.#deps = deps;
  }

  add(report: Report): void {
    if (report.kind === 'note') return;
    this.#pending = merged(this.#pending, report);
    this.#sendNext();
  }

  /** Sends what is left, once, but gives up after so many milliseconds. */
  async close(within: number): Promise<void> {
    const cancel = this.#deps.after(within, () => this.#stop.abort(new Error('the trainer ends')));
    await this.#sending;
    this.#endPause?.();
    if (!this.#stop.signal.aborted) await this.#send();
    this.#endPause?.();
    cancel();
  }

  #sendNext(): void {
    if (this.#pending === undefined || this.#sending !== undefined || this.#endPause !== undefined) return;
    this.#sending = this.#send();
  }

  async #send(): Promise<void> {
    const report = this.#pending;
    if (report === undefined) return;
    this.#pending = undefined;
    const attempt = new AbortController();
    const abort = () => attempt.abort(this.#stop.signal.reason);
    const cancel = this.#deps.after(patience, () =>
      attempt.abort(new Error(`no answer within ${patience / 1000} s`)),
    );
    this.#stop.signal.addEventListener('abort', abort);
    try {
      await this.#deps.post(report, attempt.signal);
      if (this.#failures > 0) this.#deps.warn('The operator takes reports again.');
      this.#failures = 0;
    } catch (error) {
      this.#failed(report, error);
    } finally {
      cancel();
      this.#stop.signal.removeEventListener('abort', abort);
    }
    this.#sending = undefined;
    const wait = Math.min(longestBackOff, interval * 2 ** this.#failures);
    this.#endPause = this.#deps.after(wait, () => {
      this.#endPause = undefined;
      this.#sendNext();
    });
  }

  #failed(report: PushedReport, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof PostError && error.isFinal) {
      this.#deps.warn(`The operator does not understand a report, which is dropped: ${message}`);
      return;
    }
    // What came meanwhile is newer, but knows nothing of the epochs in this one.
    this.#pending = this.#pending === undefined ? report : merged(report, this.#pending);
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#deps.warn(
        `The operator cannot be told of progress; training goes on, and it is tried again: ${message}`,
      );
    }
  }
}

/** One report that says everything the two say that matters. */
function merged(old: PushedReport | undefined, latest: PushedReport): PushedReport {
  if (old === undefined || old.kind === 'progress') return latest;
  if (latest.kind === 'progress') return { ...old, progress: latest.progress };
  const { epoch, validationAccuracy } = old.record;
  const earlier = [...(old.earlier ?? []), { epoch, validationAccuracy }, ...(latest.earlier ?? [])];
  return { ...latest, earlier: earlier.slice(-earlierEpochs) };
}
