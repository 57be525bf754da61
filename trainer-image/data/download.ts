/** Downloads a file over HTTP once: resumed after an interruption, checked, then moved into place. */
import { DestillError, type ErrorCode } from '@destillml/core/errors.ts';
import { digestOf } from '../storage/digest.ts';
import { ContentDiffers, type FileOrigin, fetchFile } from '../storage/fetch-file.ts';
import { reasonOf } from './corrupt.ts';

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

/** What is downloaded, as errors name it. */
export interface DownloadErrors {
  /** Field of the spec with address and checksum. */
  readonly field: string;
  readonly unavailable: ErrorCode;
  readonly differs: ErrorCode;
}

const ofDataset: DownloadErrors = {
  field: 'dataset.source.http',
  unavailable: 'DatasetUnavailable',
  differs: 'DatasetCorrupt',
};

/**
 * Puts the file at `url` to `target`, unless it is there already with this SHA-256.
 *
 * @throws DestillError, by default `DatasetUnavailable` where the server does not answer or refuses; `DatasetCorrupt`
 * where the content has another checksum (what was fetched is removed).
 */
export async function download(
  url: string,
  sha256: string,
  target: string,
  deps: DownloadDeps,
  errors: DownloadErrors = ofDataset,
): Promise<void> {
  const { wait, onProgress, signal } = deps;
  await fetchFile(httpOrigin(url, sha256, deps, errors), target, {
    wait,
    onProgress: (done, total) => onProgress?.({ step: 'download', what: url, done, total }),
    signal,
  });
}

function httpOrigin(
  url: string,
  sha256: string,
  { fetch, onProgress }: DownloadDeps,
  { field, unavailable, differs }: DownloadErrors,
): FileOrigin {
  const digest = (path: string, signal: AbortSignal | undefined) => {
    onProgress?.({ step: 'verify', what: path, done: 0, total: undefined });
    return digestOf(path, 'sha256', signal);
  };
  return {
    async open(have, signal) {
      const response = await fetch(url, {
        // Without "identity" a server may compress, and ranges would count compressed bytes.
        headers: { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
        ...(signal ? { signal } : {}),
      });
      const range = response.headers.get('content-range') ?? '';
      const stated = Number(/\/(\d+)$/.exec(range)?.[1] ?? Number.NaN);
      if (response.status === 416 && stated === have) return undefined;
      if (response.status === 416) {
        throw new ContentDiffers(`the server has ${stated} bytes, ${have} were there`);
      }
      if (response.status >= 500 || response.status === 429)
        throw new Error(`the server answered ${response.status}`);
      if (!response.ok || response.body === null) {
        const what = `${url}: the server answered ${response.status} ${response.statusText}`;
        throw new DestillError(unavailable, `${what}. Check ${field}.url.`);
      }
      const start = response.status === 206 ? have : 0;
      const length = Number(response.headers.get('content-length') ?? Number.NaN);
      return { start, total: Number.isNaN(length) ? undefined : start + length, body: response.body };
    },
    isSame: async (path, signal) => (await digest(path, signal)) === sha256,
    async check(path, signal) {
      const actual = await digest(path, signal);
      if (actual === sha256) return;
      throw new DestillError(
        differs,
        `${url}: the download has SHA-256 ${actual}, ${field}.sha256 says ${sha256}. It was removed. Correct the checksum if the file at this address is the one you want, or start again.`,
      );
    },
    unavailable(have, cause) {
      const reason = reasonOf(cause instanceof Error && cause.cause ? cause.cause : cause);
      return new DestillError(
        unavailable,
        `${url}: download stopped at byte ${have}: ${reason}. Start again to go on from there.`,
        { cause },
      );
    },
  };
}
