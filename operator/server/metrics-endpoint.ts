import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import { prometheusContentType } from 'prom-client';
import { only } from './app.ts';
import { type Authenticator, authorize } from './authenticator.ts';
import type { Reviews } from './reviews.ts';

export type MetricsOptions = {
  /** For tokens of the API server's own audience, as Prometheus has one. */
  readonly authenticator: Authenticator;
  readonly reviews: Reviews;
  /** Everything measured, in Prometheus' text format 0.0.4, in parts. */
  readonly metrics: () => Promise<Iterable<string>>;
};

/** `GET /metrics`, for whom a ClusterRole allows `get` on the nonResourceURL `/metrics`. */
export function metricsEndpoint({ authenticator, reviews, metrics }: MetricsOptions): Router {
  const router = Router();
  router
    .route('/metrics')
    .get(async ({ headers }, response) => {
      const user = await authenticator.authenticate(headers.authorization);
      await authorize(reviews, user, '/metrics', 'get');
      const parts = await metrics();
      response.setHeader('content-type', prometheusContentType);
      await pipeline(Readable.from(parts), response).catch((error: NodeJS.ErrnoException) => {
        // Whoever asked has gone.
        if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
      });
    })
    .all(only('GET'));
  return router;
}
