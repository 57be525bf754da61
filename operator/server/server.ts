import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import { app } from './app.ts';
import { Authenticator } from './authenticator.ts';
import type { Lookup } from './bound-pod.ts';
import { type Checks, healthEndpoint } from './health-endpoint.ts';
import { type Address, Listener, limits } from './listener.ts';
import { metricsEndpoint } from './metrics-endpoint.ts';
import { progressEndpoint } from './progress-endpoint.ts';
import { ProgressWriter, type ProgressWriterOptions } from './progress-writer.ts';
import type { Reviews } from './reviews.ts';
import { selfSigned } from './self-signed.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { followFiles, readPair, type TlsFiles } from './tls-files.ts';
import { tlsOptions } from './tls-options.ts';

export type ServerOptions = {
  /** HTTP: /healthz and /readyz. */
  readonly health: Address;
  /** HTTPS: /metrics and the trainers' reports. */
  readonly main: Address;
  /** Without it a certificate is made up for `certificateHosts`. */
  readonly tls: TlsFiles | undefined;
  /** Names and addresses that the server is called by. */
  readonly certificateHosts: readonly string[];
  /** Audience of the trainers' tokens. */
  readonly audience: string;
  /** Least time between two writes of one Run's progress, in milliseconds. */
  readonly progressInterval: number;
};

export type ServerDeps = {
  readonly checks: Checks;
  readonly reviews: Reviews;
  readonly lookup: Lookup;
  readonly writeProgress: ProgressWriterOptions['write'];
  /** Everything measured, in Prometheus' text format 0.0.4, in parts. */
  readonly metrics: () => Promise<Iterable<string>>;
  readonly observer: Pick<ServerMetrics, 'answered' | 'written'>;
  readonly clock: Clock;
  readonly log: Logger;
};

export type OperatorServer = {
  readonly healthPort: number;
  readonly port: number;
  /** What the server showed first, PEM. */
  readonly certificate: string;
  /** Answers what was begun, writes what trainers reported, within 10 s. */
  readonly close: () => Promise<void>;
};

/** How long requests may still take once the server closes, and then the last writes, in milliseconds. */
const grace = { requests: 5_000, writes: 4_000 };

/**
 * Serves health, metrics and the trainers' reports.
 *
 * @throws DestillError `Environment` if a port cannot be had or the certificate cannot be used
 */
export async function startServer(options: ServerOptions, deps: ServerDeps): Promise<OperatorServer> {
  const { tls, certificateHosts, audience, progressInterval } = options;
  const { checks, reviews, lookup, writeProgress, metrics, observer, clock, log } = deps;

  const writer = new ProgressWriter({
    write: writeProgress,
    run: lookup.run,
    interval: progressInterval,
    clock,
    log,
    observe: (result) => observer.written(result),
  });
  const progress = progressEndpoint({
    authenticator: new Authenticator({ reviews, audience, clock }),
    lookup,
    writer,
    clock,
    observe: (status) => observer.answered(status),
  });
  const scraping = metricsEndpoint({
    authenticator: new Authenticator({ reviews, audience: undefined, clock }),
    reviews,
    metrics,
  });

  const pair = tls === undefined ? await selfSigned(certificateHosts, clock.now()) : await readPair(tls);
  const secure = createHttpsServer({
    ...pair,
    ...limits,
    ...tlsOptions,
    handshakeTimeout: limits.headersTimeout,
  });
  const health = await Listener.open(createHttpServer(limits), app({ log, clock }, healthEndpoint(checks)), {
    ...options.health,
    option: '--health-bind-address',
  });
  let main: Listener;
  try {
    main = await Listener.open(secure, app({ log, clock }, scraping, progress), {
      ...options.main,
      option: '--server-bind-address',
    });
  } catch (error) {
    await health.close(clock, 0);
    throw error;
  }
  const unfollow =
    tls === undefined
      ? () => undefined
      : followFiles({
          files: tls,
          from: pair,
          use: (renewed) => secure.setSecureContext({ ...renewed, ...tlsOptions }),
          clock,
          log,
        });

  return {
    healthPort: health.port,
    port: main.port,
    certificate: pair.cert,
    close: async () => {
      unfollow();
      // Health last: a process that winds up its work is alive.
      await main.close(clock, grace.requests);
      await writer.flush(grace.writes);
      await health.close(clock, 0);
    },
  };
}
