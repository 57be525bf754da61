import { Router } from 'express';
import { only } from './app.ts';

/** By name, such as `runs`: whether what the operator needs before it can serve is there. */
export type Checks = Readonly<Record<string, () => boolean>>;

/** `GET /healthz`: the process answers. `GET /readyz`: every check holds; otherwise 503, which names those that do not. */
export function healthEndpoint(checks: Checks): Router {
  const router = Router();
  router
    .route('/healthz')
    .get((_request, response) => void response.type('text/plain').send('ok\n'))
    .all(only('GET'));
  router
    .route('/readyz')
    .get((_request, response) => {
      const failed = Object.entries(checks)
        .filter(([, holds]) => !holds())
        .map(([name]) => name);
      if (failed.length === 0) response.type('text/plain').send('ok\n');
      else
        response.status(503).json({ code: 'NotReady', message: `not ready: ${failed.join(', ')}`, failed });
    })
    .all(only('GET'));
  return router;
}
