import { DestillError, type ErrorCode } from '@destillml/core/errors.ts';
import { retry } from '../retry.ts';
import type { OpenFile } from './bucket.ts';

/** A file as it was at one moment; it is held open until it is released. */
export interface KeptFile extends OpenFile {
  readonly name: string;
  /** Differs wherever the content does; that of a file which was renamed stays. */
  readonly version: string;
}

export interface UploadDeps {
  /** How long uploads may fail in a row until they are given up, in milliseconds. */
  readonly patience: number;
  /** Replaces an object. @throws Error that says why not; the signal's reason once that is aborted */
  readonly write: (file: KeptFile, signal: AbortSignal) => Promise<void>;
  /** Makes an object of another one, `from`, that holds the file's content already. It throws likewise. */
  readonly copy: (from: string, file: KeptFile, signal: AbortSignal) => Promise<void>;
  /** Lets go of a file that is uploaded, or overtaken by a newer one. */
  readonly release: (file: KeptFile) => void;
  /** @throws the signal's reason once that is aborted */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Uploads fail, and are tried again. */
  readonly failing: (reason: string) => void;
  /** They succeed again. */
  readonly mended: () => void;
  /** They are given up. */
  readonly lost: (reason: string, code: ErrorCode) => void;
}

type Failure = Pick<DestillError, 'code' | 'message'>;

const tooSlow: Failure = { code: 'StorageUnavailable', message: 'The time for uploads is over.' };

/**
 * Uploads what a folder holds at certain moments, one after the other; of those that wait, only the newest.
 *
 * The files of one moment are written in their order, so that none is there before what it refers to.
 */
export class UploadQueue {
  readonly #deps: UploadDeps;
  /** Aborted: uploads are given up. */
  readonly #over = new AbortController();
  /** Version of what is in the store, by name. */
  readonly #stored: Map<string, string>;
  #current: readonly KeptFile[] = [];
  #next: readonly KeptFile[] | undefined;
  #running: Promise<void> | undefined;
  #failure: Failure | undefined;

  /** @param stored version of what is in the store already, by name */
  constructor(deps: UploadDeps, stored: ReadonlyMap<string, string>) {
    this.#deps = deps;
    this.#stored = new Map(stored);
  }

  /** Takes the files of the folder as they are now, in the order in which they are to be written. */
  add(files: readonly KeptFile[]): void {
    if (this.#over.signal.aborted) {
      this.#release(files);
      this.#lost(this.#failure ?? tooSlow);
      return;
    }
    this.#release(this.#next ?? []);
    this.#next = files;
    this.#running ??= this.#run();
  }

  /** Resolves once nothing is left to upload. @returns false where uploads were given up */
  async finish(): Promise<boolean> {
    await this.#running;
    return !this.#over.signal.aborted;
  }

  /** Gives up what is not uploaded yet. */
  stop(): void {
    this.#over.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const { patience, now, wait, mended } = this.#deps;
    try {
      while (this.#next !== undefined) {
        await retry(() => this.#uploadNewest(signal), {
          patience,
          // What does not pass by itself is tried again, too: somebody may make room or mend the rights, and all the
          // while the training goes on.
          passes: () => true,
          onFailure: (error) => this.#failed(error),
          wait: (milliseconds) => wait(milliseconds, signal),
          now,
        });
        if (this.#failure !== undefined) mended();
        this.#failure = undefined;
      }
    } catch (error) {
      const failure = signal.aborted ? (this.#failure ?? tooSlow) : failureOf(error);
      this.#over.abort();
      this.#release([...this.#current, ...(this.#next ?? [])]);
      this.#lost(failure);
    }
    this.#running = undefined;
  }

  async #uploadNewest(signal: AbortSignal): Promise<void> {
    if (this.#next !== undefined) {
      this.#release(this.#current);
      this.#current = this.#next;
      this.#next = undefined;
    }
    for (const file of this.#current) {
      if (this.#stored.get(file.name) === file.version) continue;
      const [twin] = [...this.#stored].find(([, version]) => version === file.version) ?? [];
      const { write, copy } = this.#deps;
      // A store that cannot copy is sent it again.
      await (twin === undefined
        ? write(file, signal)
        : copy(twin, file, signal).catch(() => write(file, signal)));
      this.#stored.set(file.name, file.version);
    }
    this.#release(this.#current);
    this.#current = [];
  }

  #failed(error: unknown): void {
    if (this.#over.signal.aborted) return;
    this.#failure = failureOf(error);
    this.#deps.failing(this.#failure.message);
  }

  #lost({ message, code }: Failure): void {
    this.#deps.lost(message, code);
  }

  #release(files: readonly KeptFile[]): void {
    for (const file of files) this.#deps.release(file);
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof DestillError) return error;
  return { code: 'StorageUnavailable', message: error instanceof Error ? error.message : String(error) };
}
