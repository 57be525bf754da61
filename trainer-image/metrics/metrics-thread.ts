import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { longestLinger } from './linger.ts';
import type { Observation } from './observation.ts';
import type { Place } from './trainer-metrics.ts';

/** What the thread is told. */
export type MetricsMessage = Observation | 'close';

export type MetricsWorkerData = { readonly port: number; readonly place: Place };

/** Live metrics for Prometheus. */
export type Metrics = {
  /** Takes what happened. It neither waits nor throws. */
  readonly observe: (observation: Observation) => void;
  /**
   * Ends once Prometheus, if it has looked before, has seen the end: after 20 seconds at the latest, and at once when
   * `stop` is aborted.
   */
  readonly close: (stop: AbortSignal) => Promise<void>;
};

/**
 * Serves metrics, in a thread of its own, if the environment says at which port: `DESTILL_METRICS_PORT`.
 *
 * Whatever goes wrong is logged, and harms nothing else.
 */
export function startMetrics(
  env: Readonly<Record<string, string | undefined>>,
  place: Place,
  log: Logger,
): Metrics | undefined {
  const text = env.DESTILL_METRICS_PORT;
  if (!text) return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    log.warn(`Metrics are not served: DESTILL_METRICS_PORT is "${text}", not a port.`);
    return undefined;
  }
  const workerData: MetricsWorkerData = { port, place };
  const worker = new Worker(new URL('./metrics-worker.ts', import.meta.url), { workerData });
  worker.on('error', (error) => log.warn({ err: error }, 'Metrics are not served any more.'));
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // Whoever trains decides when the process ends.
  worker.unref();
  return {
    observe: (observation) => worker.postMessage(observation satisfies MetricsMessage),
    close: async (stop) => {
      worker.ref();
      worker.postMessage('close' satisfies MetricsMessage);
      const enough = AbortSignal.any([stop, AbortSignal.timeout(longestLinger)]);
      const late = new Promise<void>((resolve) => {
        if (enough.aborted) resolve();
        enough.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.race([ended, late]);
      await worker.terminate();
    },
  };
}
