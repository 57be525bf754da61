import { closeSync, existsSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DestillError, type ErrorCode } from '@destillml/core/errors.ts';
import type { S3Place } from './place.ts';
import type { KeptFile } from './upload-queue.ts';

/** What the thread is told. */
export type UploadMessage =
  | { readonly kind: 'files'; readonly files: readonly KeptFile[] }
  | { readonly kind: 'stop' }
  | { readonly kind: 'finish' };

/** What it says. */
export type UploadEvent =
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'lost'; readonly reason: string; readonly code: ErrorCode }
  /** Uploads succeed again; all is uploaded, and the thread ends. */
  | { readonly kind: 'mended' | 'finished' };

export interface UploadWorkerData {
  readonly place: S3Place;
  readonly patience: number;
  /** Version of what is in the store, by name. */
  readonly stored: ReadonlyMap<string, string>;
}

export interface UploadThreadOptions {
  readonly place: S3Place;
  /** What it holds when the thread is started is in the store already. */
  readonly folder: string;
  /** Files of the folder, in the order in which they are to be written; those that are not there are passed over. */
  readonly names: readonly string[];
  /** How long uploads may fail in a row until they are given up, in milliseconds. */
  readonly patience: number;
  readonly warn: (message: string) => void;
}

/**
 * Uploads beside the training, in a thread of its own: a training step blocks the main one, and a store that waits for
 * bytes hangs up.
 */
export class UploadThread {
  /** Aborted, with a DestillError as reason, where uploads were given up. */
  readonly lost: AbortSignal;
  readonly #options: UploadThreadOptions;
  readonly #lost = new AbortController();
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #deadline: NodeJS.Timeout | undefined;
  #isFinished = false;

  constructor(options: UploadThreadOptions) {
    this.#options = options;
    this.lost = this.#lost.signal;
    const { place, patience, folder, names } = options;
    const there = names.flatMap((name) => kept(folder, name));
    for (const { fd } of there) closeSync(fd);
    const stored = new Map(there.map(({ name, version }) => [name, version]));
    this.#worker = new Worker(new URL('./upload-worker.ts', import.meta.url), {
      workerData: { place, patience, stored } satisfies UploadWorkerData,
      // Files are opened here and closed there.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (event: UploadEvent) => this.#take(event));
    this.#worker.on('error', (error) => this.#giveUp(`The thread that uploads failed: ${error.message}.`));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        if (!this.#isFinished) this.#giveUp('The thread that uploads was ended.');
        resolve();
      });
    });
    // Whoever trains decides when the process ends.
    this.#worker.unref();
  }

  /** Uploads the folder as it is at this moment. It does not wait. */
  saved(): void {
    if (this.lost.aborted) return;
    const { folder, names } = this.#options;
    // An open file stays what it is when another is put in its place; of one that is appended to, its size is noted.
    const files = names.flatMap((name) => kept(folder, name));
    this.#tell({ kind: 'files', files });
  }

  /** Gives up what is not uploaded yet. */
  stop(): void {
    this.#tell({ kind: 'stop' });
    // Should the thread not answer, nobody waits for it.
    this.#deadline ??= setTimeout(() => void this.#worker.terminate(), 5_000).unref();
  }

  /** Resolves once everything is uploaded. @throws DestillError where it was given up */
  async finish(): Promise<void> {
    this.#worker.ref();
    this.#tell({ kind: 'finish' });
    await this.#ended;
    this.lost.throwIfAborted();
  }

  async close(): Promise<void> {
    clearTimeout(this.#deadline);
    await this.#worker.terminate();
  }

  #tell(message: UploadMessage): void {
    this.#worker.postMessage(message);
  }

  #take(event: UploadEvent): void {
    switch (event.kind) {
      case 'failing':
        this.#options.warn(
          `Checkpoints cannot be uploaded. It is tried again, training goes on. ${event.reason}`,
        );
        return;
      case 'mended':
        this.#options.warn('Checkpoints are uploaded again.');
        return;
      case 'finished':
        this.#isFinished = true;
        return;
      case 'lost':
        this.#giveUp(event.reason, event.code);
    }
  }

  #giveUp(reason: string, code: ErrorCode = 'StorageUnavailable'): void {
    const message = `${reason} What was not uploaded is lost; another attempt goes on from the checkpoint before.`;
    this.#lost.abort(new DestillError(code, message));
  }
}

function kept(folder: string, name: string): KeptFile[] {
  const path = join(folder, name);
  if (!existsSync(path)) return [];
  const fd = openSync(path, 'r');
  const { ino, size, mtimeNs } = fstatSync(fd, { bigint: true });
  return [{ name, fd, size: Number(size), version: `${ino}-${size}-${mtimeNs}` }];
}
