import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DestillError } from '@destillml/core/errors.ts';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';

/** A certificate, followed by those that vouch for it, and its private key; PEM. */
export type Pair = { readonly cert: string; readonly key: string };

export type TlsFiles = { readonly cert: string; readonly key: string };

/** How often files are looked at, in milliseconds. The kubelet itself takes up to a minute to bring new ones. */
const interval = 10_000;

/** @throws DestillError `Environment` that names the file, if one cannot be read or they do not belong together */
export async function readPair(files: TlsFiles): Promise<Pair> {
  const [cert, key] = await Promise.all([read(files.cert), read(files.key)]);
  const belong = parsed(files.cert, () => new X509Certificate(cert)).checkPrivateKey(
    parsed(files.key, () => createPrivateKey(key)),
  );
  if (!belong) throw unusable(files.key, `it is not the key of the certificate ${files.cert}`);
  return { cert, key };
}

export type FollowOptions = {
  readonly files: TlsFiles;
  /** What was read of them last. */
  readonly from: Pair;
  readonly use: (pair: Pair) => void;
  readonly clock: Clock;
  readonly log: Logger;
};

/**
 * Reads the files again and again, and uses what they hold once it changes and fits together: whoever renews a
 * certificate may write the two one after the other. @returns what ends it
 */
export function followFiles({ files, from, use, clock, log }: FollowOptions): () => void {
  let current = from;
  let complaint: string | undefined;
  let ended = false;
  let cancel = clock.after(interval, () => void look());
  const look = async () => {
    try {
      const pair = await readPair(files);
      if (ended) return;
      if (pair.cert !== current.cert || pair.key !== current.key) {
        use(pair);
        current = pair;
        log.info({ ...files, validTo: new X509Certificate(pair.cert).validTo }, 'certificate loaded');
      }
      complaint = undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Once, not every ten seconds.
      if (message !== complaint) log.warn({ ...files }, `the old certificate stays in use: ${message}`);
      complaint = message;
    }
    if (!ended) cancel = clock.after(interval, () => void look());
  };
  return () => {
    ended = true;
    cancel();
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unusable(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw unusable(file, 'it is not PEM of what it should be', cause);
  }
}

function unusable(file: string, why: string, cause?: unknown): DestillError {
  return new DestillError('Environment', `${file}: ${why}; give a certificate and its key, both PEM`, {
    cause,
  });
}
