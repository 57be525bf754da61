import { Router } from 'express';
import { prometheusContentType } from 'prom-client';
import { only } from './app.ts';
import { type Authenticator, authorize } from './authenticator.ts';
import type { Reviews } from './reviews.ts';

export type MetricsOptions = {
  /** For tokens of the API server's own audience, as Prometheus has one. */
  readonly authenticator: Authenticator;
  readonly reviews: Reviews;
  /** Everything measured, in Prometheus' text format 0.0.4. */
  readonly metrics: () => Promise<string>;
};

/** `GET /metrics`, for whom a ClusterRole allows `get` on the nonResourceURL `/metrics`. */
export function metricsEndpoint({ authenticator, reviews, metrics }: MetricsOptions): Router {
  const router = Router();
  router
    .route('/metrics')
    .get(async ({ headers }, response) => {
      const user = await authenticator.authenticate(headers.authorization);
      await authorize(reviews, user, '/metrics', 'get');
      const text = await metrics();
      response.setHeader('content-type', prometheusContentType);
      response.end(text);
    })
    .all(only('GET'));
  return router;
}
