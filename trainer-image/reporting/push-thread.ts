import { Worker } from 'node:worker_threads';
import type { Report } from '@destillml/core/protocol/report.ts';
import type { Logger } from 'pino';
import type { Destination } from './post.ts';

/** What the thread is told. */
export type PushMessage = Report | 'close';

export type PushWorkerData = {
  readonly destination: Destination;
  readonly logLevel: string;
  /** Time that the last report may take, in milliseconds. */
  readonly lastReport: number;
};

/** Reports to the operator. */
export type Push = {
  /** Takes a report. It neither waits nor throws. */
  readonly report: (report: Report) => void;
  /** Sends the last report; resolves after two seconds at the latest, whatever happened. */
  readonly close: () => Promise<void>;
};

/** Time that the end of reporting may take, and the last report of that, in milliseconds. */
const closing = 2_000;
const lastReport = 1_500;

/**
 * Reports to the operator, in a thread of its own, if the environment says where: `DESTILL_PUSH_URL`,
 * `DESTILL_PUSH_TOKEN_FILE`, and `DESTILL_PUSH_CA` unless a known authority vouches for the operator.
 *
 * Whatever goes wrong is logged, and harms nothing else.
 */
export function startPush(env: Readonly<Record<string, string | undefined>>, log: Logger): Push | undefined {
  const url = env.DESTILL_PUSH_URL;
  const tokenFile = env.DESTILL_PUSH_TOKEN_FILE;
  if (!url) return undefined;
  if (URL.parse(url)?.protocol !== 'https:' || !tokenFile) {
    // The token in DESTILL_PUSH_TOKEN_FILE must not be read on the way.
    log.warn(
      'Progress is not reported: DESTILL_PUSH_URL must be an https address, with DESTILL_PUSH_TOKEN_FILE.',
    );
    return undefined;
  }
  const workerData: PushWorkerData = {
    destination: { url, tokenFile, ca: env.DESTILL_PUSH_CA || undefined },
    logLevel: log.level,
    lastReport,
  };
  const worker = new Worker(new URL('./push-worker.ts', import.meta.url), { workerData });
  worker.on('error', (error) => log.warn({ err: error }, 'Progress is not reported any more.'));
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // Whoever trains decides when the process ends.
  worker.unref();
  return {
    report: (report) => worker.postMessage(report satisfies PushMessage),
    close: async () => {
      worker.ref();
      worker.postMessage('close' satisfies PushMessage);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closing);
      });
      await Promise.race([ended, late]);
      clearTimeout(timer);
      await worker.terminate();
    },
  };
}
