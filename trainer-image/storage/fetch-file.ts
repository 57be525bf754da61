/** Fetches a file once: resumed after an interruption, checked, then moved into place. */
import { constants } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import { flush } from './atomic.ts';
import { makeFolder, writing } from './disk.ts';

/** What is fetched, and from where. */
export interface FileOrigin {
  /**
   * The content from byte `have` on, or from its beginning where that cannot be had; undefined where nothing is missing.
   *
   * @throws DestillError where trying again cannot help; ContentDiffers where `have` bytes are not its beginning
   */
  readonly open: (have: number, signal: AbortSignal | undefined) => Promise<OpenContent | undefined>;
  /** Whether a file that is in place already is the one. */
  readonly isSame: (path: string, signal: AbortSignal | undefined) => Promise<boolean>;
  /** @throws ContentDiffers, or DestillError, where the file that arrived is not what it should be: it is removed then */
  readonly check: (path: string, signal: AbortSignal | undefined) => Promise<void>;
  /** The error where nothing more came after byte `have`, again and again. */
  readonly unavailable: (have: number, cause: unknown) => DestillError;
}

export interface OpenContent {
  readonly start: number;
  /** Bytes of the whole file, where known. */
  readonly total: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface FetchFileDeps {
  /** Waits between attempts. */
  readonly wait: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What has arrived is not a part of the file: it is thrown away and fetched anew. */
export class ContentDiffers extends Error {}

/** Attempts in a row that bring no new byte before it is given up. */
const attempts = 5;

/**
 * Puts the file to `target`, unless it is there already.
 *
 * @throws DestillError `StorageFull`, `StorageReadOnly`, `StorageUnavailable` where this machine cannot keep it; those of `origin`
 *
 * What has arrived waits in `target.partial`, so that another call, in this process or the next, goes on from there.
 * Bytes are written at the place they belong to, never appended: two processes may fetch the same file at once.
 */
export async function fetchFile(origin: FileOrigin, target: string, deps: FetchFileDeps): Promise<void> {
  if (await exists(target)) {
    if (await origin.isSame(target, deps.signal)) return;
    await writing(target, () => rm(target));
  }
  makeFolder(dirname(target));
  const partial = `${target}.partial`;
  for (let fruitless = 0; ; ) {
    const before = await sizeOf(partial);
    try {
      await fetchRest(origin, partial, before, deps);
      await writing(target, () => checkAndMove(origin, partial, target, deps));
      return;
    } catch (cause) {
      deps.signal?.throwIfAborted();
      if (cause instanceof DestillError) throw cause;
      if (cause instanceof ContentDiffers) await rm(partial, { force: true });
      fruitless = (await sizeOf(partial)) > before ? 0 : fruitless + 1;
      if (fruitless === attempts) throw origin.unavailable(await sizeOf(partial), cause);
      await deps.wait(1000 * 2 ** fruitless, deps.signal);
    }
  }
}

async function checkAndMove(origin: FileOrigin, partial: string, target: string, deps: FetchFileDeps) {
  try {
    await checked(origin, partial, deps.signal);
    await flush(partial);
    await rename(partial, target);
    await flush(dirname(target));
  } catch (error) {
    // Another process, fetching the same, has moved it to its place.
    if (!isMissingFile(error) || !(await exists(target))) throw error;
  }
}

async function checked(origin: FileOrigin, partial: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await origin.check(partial, signal);
  } catch (error) {
    if (error instanceof DestillError) await rm(partial, { force: true });
    throw error;
  }
}

/** Fetches from byte `have` to the end; throws where the connection ends before. */
async function fetchRest(
  origin: FileOrigin,
  partial: string,
  have: number,
  { onProgress, signal }: FetchFileDeps,
): Promise<void> {
  const content = await origin.open(have, signal);
  if (content === undefined) return;
  const { start, total, body } = content;
  const file = await writing(partial, () => open(partial, constants.O_RDWR | constants.O_CREAT));
  try {
    // Another process may have moved the file to its place meanwhile: this is a new one, to be fetched from its beginning.
    if ((await file.stat()).size < start) throw new Error(`the first ${start} bytes are gone`);
    let done = start;
    for await (const chunk of body) {
      await writing(partial, () => file.write(chunk, 0, chunk.length, done));
      done += chunk.length;
      onProgress?.(done, total);
    }
    if (total !== undefined && done < total)
      throw new Error(`the connection ended at byte ${done} of ${total}`);
    await writing(partial, () => file.truncate(done));
  } finally {
    await file.close();
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
