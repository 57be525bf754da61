/** Downloads a file once: resumed after an interruption, checked, then moved into place. */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DestillError } from '@destillml/core/errors.ts';
import { flush } from './aside.ts';
import { corrupt, reasonOf } from './corrupt.ts';

/** How far a lengthy step is. */
export interface Progress {
  readonly step: 'download' | 'verify' | 'unpack';
  /** Address, file or package. */
  readonly what: string;
  readonly done: number;
  /** Bytes, files or classes in all, where known. */
  readonly total: number | undefined;
}

export interface DownloadDeps {
  readonly fetch: typeof fetch;
  /** Waits between attempts. */
  readonly wait: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Attempts in a row that bring no new byte before it is given up. */
const attempts = 5;

/**
 * Puts the file at `url` to `target`, unless it is there already with this SHA-256.
 *
 * What has arrived waits in `target.partial`, so that another call, in this process or the next, goes on from there.
 * Bytes are written at the place they belong to, never appended: two processes may fetch the same file at once.
 *
 * @throws DestillError `DatasetUnavailable` where the server does not answer or refuses; `DatasetCorrupt` where the
 * content has another checksum (what was fetched is removed).
 */
export async function download(
  url: string,
  sha256: string,
  target: string,
  deps: DownloadDeps,
): Promise<void> {
  if (await exists(target)) {
    deps.onProgress?.({ step: 'verify', what: target, done: 0, total: undefined });
    if ((await sha256Of(target, deps.signal)) === sha256) return;
    await rm(target);
  }
  await mkdir(dirname(target), { recursive: true });
  const partial = `${target}.partial`;
  await fetchAll(url, partial, deps);
  try {
    await checkAndMove(url, sha256, partial, target, deps);
  } catch (error) {
    // Another process, fetching the same, has moved it to its place.
    if (!isMissingFile(error) || !(await exists(target))) throw error;
  }
}

async function checkAndMove(
  url: string,
  sha256: string,
  partial: string,
  target: string,
  deps: DownloadDeps,
) {
  deps.onProgress?.({ step: 'verify', what: partial, done: 0, total: undefined });
  const actual = await sha256Of(partial, deps.signal);
  if (actual !== sha256) {
    await rm(partial, { force: true });
    throw corrupt(
      url,
      `the download has SHA-256 ${actual}, dataset.source.http.sha256 says ${sha256}`,
      'It was removed. Correct the checksum if the file at this address is the one you want, or start again.',
    );
  }
  await flush(partial);
  await rename(partial, target);
  await flush(dirname(target));
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal ? { signal } : {});
  return hash.digest('hex');
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function fetchAll(url: string, partial: string, deps: DownloadDeps): Promise<void> {
  for (let fruitless = 0; ; ) {
    const before = await sizeOf(partial);
    try {
      await fetchRest(url, partial, before, deps);
      return;
    } catch (cause) {
      deps.signal?.throwIfAborted();
      if (cause instanceof DestillError) throw cause;
      fruitless = (await sizeOf(partial)) > before ? 0 : fruitless + 1;
      if (fruitless === attempts) {
        const reason = reasonOf(cause instanceof Error && cause.cause ? cause.cause : cause);
        throw new DestillError(
          'DatasetUnavailable',
          `${url}: download stopped at byte ${await sizeOf(partial)}: ${reason}. Start again to go on from there.`,
          { cause },
        );
      }
      await deps.wait(1000 * 2 ** fruitless, deps.signal);
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Fetches from byte `have` to the end; throws where the connection ends before. */
async function fetchRest(url: string, partial: string, have: number, deps: DownloadDeps): Promise<void> {
  const { onProgress } = deps;
  const response = await deps.fetch(url, {
    // Without "identity" a server may compress, and ranges would count compressed bytes.
    headers: { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
    ...(deps.signal ? { signal: deps.signal } : {}),
  });
  const stated = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
  if (response.status === 416 && stated === have) return;
  if (response.status === 416) {
    // What is there is not a beginning of that file.
    await rm(partial, { force: true });
    throw new Error(`the server has ${stated} bytes, ${have} were there`);
  }
  if (response.status >= 500 || response.status === 429)
    throw new Error(`the server answered ${response.status}`);
  if (!response.ok || response.body === null) {
    const what = `${url}: the server answered ${response.status} ${response.statusText}`;
    throw new DestillError('DatasetUnavailable', `${what}. Check dataset.source.http.url.`);
  }
  const start = response.status === 206 ? have : 0;
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const total = Number.isNaN(length) ? undefined : start + length;
  const file = await open(partial, constants.O_RDWR | constants.O_CREAT);
  try {
    // Another process may have moved the file to its place meanwhile: this is a new one, to be fetched from its beginning.
    if ((await file.stat()).size < start) throw new Error(`the first ${start} bytes are gone`);
    let done = start;
    for await (const chunk of response.body) {
      await file.write(chunk, 0, chunk.length, done);
      done += chunk.length;
      onProgress?.({ step: 'download', what: url, done, total });
    }
    if (total !== undefined && done < total)
      throw new Error(`the connection ended at byte ${done} of ${total}`);
    await file.truncate(done);
  } finally {
    await file.close();
  }
}
