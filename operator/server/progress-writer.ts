import type { RunProgress } from '@destillml/core/api/run.ts';
import { type EpochAccuracy, withEpochs } from '@destillml/core/protocol/history.ts';
import type { Report } from '@destillml/core/protocol/report.ts';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import { deadline } from '../runtime/deadline.ts';
import type { CachedRun, Ref } from './bound-pod.ts';

/** A Run; another one of that name has another uid. */
export type RunRef = Ref & { readonly uid: string };

/** Part of the status of a Run that comes from its trainer. */
export type TrainerStatus = { readonly progress: RunProgress; readonly history?: readonly number[] };

export type ProgressWriterOptions = {
  /** Makes this the Run's `status.progress` and `status.history`. @returns false if the Run is gone */
  readonly write: (run: RunRef, status: TrainerStatus, signal: AbortSignal) => Promise<boolean>;
  /** The Run as the cache has it. */
  readonly run: (ref: Ref) => CachedRun | undefined;
  /** Least time between two writes of one Run, in milliseconds. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told what became of each report that was taken. */
  readonly observe: (result: WriteResult) => void;
};

/** `coalesced`: part of the next write. `dropped`: the Run is gone, or another replica wrote something newer. */
export type WriteResult = 'success' | 'error' | 'coalesced' | 'dropped';

type Entry = {
  readonly run: RunRef;
  history: readonly number[];
  /** Not yet written, or being written. */
  progress: RunProgress | undefined;
  /** Calls off the next write. */
  cancel: () => void;
  writing: Promise<void> | undefined;
};

/** How long a write may take, in milliseconds. */
const patience = 10_000;

/**
 * Writes what trainers report: at once, then at most once in an interval; of what comes meanwhile the last is written.
 *
 * A write that fails is tried again after the interval, with whatever is the last by then.
 */
export class ProgressWriter {
  readonly #options: ProgressWriterOptions;
  /** By uid: Runs that reported within the last interval. */
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();

  constructor(options: ProgressWriterOptions) {
    this.#options = options;
  }

  /** Takes a report; it never waits and never throws. */
  add(run: RunRef, report: Exclude<Report, { readonly kind: 'note' }>): void {
    const known = this.#entries.get(run.uid);
    const entry = known ?? this.#enter(run);
    const { progress } = report;
    if (entry.progress !== undefined) this.#options.observe('coalesced');
    entry.progress = progress;
    entry.history = withEpochs(this.#longestHistory(entry), progress.epochs, accuracies(report));
    if (known === undefined) this.#start(entry);
  }

  /** The end: writes what is left, each once, but gives up after so many milliseconds. */
  async flush(within: number): Promise<void> {
    const cancel = this.#options.clock.after(within, () => this.#stop.abort(new Error('the operator stops')));
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(
      entries.map(async (entry) => {
        entry.cancel();
        await entry.writing;
        await this.#write(entry);
      }),
    );
    cancel();
  }

  #enter(run: RunRef): Entry {
    const entry = {
      run,
      history: [],
      progress: undefined,
      cancel: () => undefined,
      writing: undefined,
    };
    this.#entries.set(run.uid, entry);
    return entry;
  }

  /** What this replica has put together, or another one has by now. */
  #longestHistory({ run, history }: Entry): readonly number[] {
    const written = this.#current(run)?.status?.history ?? [];
    return written.length > history.length ? written : history;
  }

  #current(run: RunRef): CachedRun | undefined {
    const cached = this.#options.run(run);
    return cached?.metadata.uid === run.uid ? cached : undefined;
  }

  #start(entry: Entry): void {
    const { clock, interval } = this.#options;
    entry.writing = this.#write(entry);
    entry.cancel = clock.after(interval, () => void this.#next(entry));
  }

  async #next(entry: Entry): Promise<void> {
    await entry.writing;
    if (this.#entries.get(entry.run.uid) !== entry) return;
    if (entry.progress === undefined) this.#entries.delete(entry.run.uid);
    else this.#start(entry);
  }

  async #write(entry: Entry): Promise<void> {
    const { write, observe, clock, log } = this.#options;
    const { run, progress } = entry;
    if (progress === undefined || this.#stop.signal.aborted) return;
    entry.progress = undefined;
    const current = this.#current(run);
    if (current === undefined || this.#isOlder(progress, current.status?.progress)) {
      observe('dropped');
      return;
    }
    const history = this.#longestHistory(entry);
    const late = () => new Error(`the API server did not answer within ${patience / 1000} s`);
    const limit = deadline(clock, patience, late, this.#stop.signal);
    try {
      const status = { progress, ...(history.length === 0 ? {} : { history }) };
      observe((await write(run, status, limit.signal)) ? 'success' : 'dropped');
    } catch (error) {
      observe('error');
      log.warn(
        { namespace: run.namespace, name: run.name, err: error },
        'progress not written; it is tried again',
      );
      entry.progress ??= progress;
    } finally {
      limit.close();
    }
  }

  /** Whether another replica has written something newer. A time ahead of this machine's clock is not believed. */
  #isOlder(progress: RunProgress, written: RunProgress | undefined): boolean {
    if (written === undefined) return false;
    const at = Date.parse(written.updatedAt);
    return Date.parse(progress.updatedAt) < at && at <= this.#options.clock.now();
  }
}

function accuracies(report: Exclude<Report, { readonly kind: 'note' }>): readonly EpochAccuracy[] {
  return report.kind === 'epoch' ? [...(report.earlier ?? []), report.record] : [];
}
