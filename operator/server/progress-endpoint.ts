import { notAllowed } from '@destillml/core/api/problem.ts';
import type { RunProgress } from '@destillml/core/api/run.ts';
import { report } from '@destillml/core/protocol/report.ts';
import { json, Router } from 'express';
import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import { only } from './app.ts';
import type { Authenticator } from './authenticator.ts';
import { type Lookup, runOfToken } from './bound-pod.ts';
import { Problem } from './problem.ts';
import type { ProgressWriter } from './progress-writer.ts';

export type ProgressOptions = {
  /** For tokens of the audience that pods get theirs for. */
  readonly authenticator: Authenticator;
  readonly lookup: Lookup;
  readonly writer: ProgressWriter;
  readonly clock: Pick<Clock, 'now'>;
  /** Told the status of every answer; 499 if the trainer went away before it got one. */
  readonly observe: (status: number) => void;
};

/** How far the clock of a node may be ahead of the operator's, in milliseconds. */
const skew = 24 * 60 * 60_000;

/** A report is some hundreds of bytes; with 128 earlier epochs 7 kB. */
const bodyLimit = 16 * 1024;

/**
 * `POST /v1/namespaces/{namespace}/runs/{name}/progress`: a trainer reports, with the token of its pod. 202: taken.
 *
 * Any replica takes reports.
 */
export function progressEndpoint({ authenticator, lookup, writer, clock, observe }: ProgressOptions): Router {
  const router = Router();
  router
    .route('/v1/namespaces/:namespace/runs/:name/progress')
    .all((_request, response, next) => {
      response.once('close', () => observe(response.headersSent ? response.statusCode : 499));
      next();
    })
    .post(
      async ({ headers, params }, response, next) => {
        const user = await authenticator.authenticate(headers.authorization);
        response.locals.uid = runOfToken(user, params, lookup).uid;
        next();
      },
      // After the token: nobody else makes the operator parse anything.
      json({ limit: bodyLimit, inflate: false }),
      ({ body, params, headers }, response) => {
        if (body === undefined) {
          throw new Problem(
            415,
            'UnsupportedMediaType',
            `the body must be application/json, not ${headers['content-type'] ?? 'unnamed'}`,
          );
        }
        const parsed = report.safeParse(body);
        if (!parsed.success) throw new Problem(400, 'Malformed', z.prettifyError(parsed.error));
        if (parsed.data.kind !== 'note') {
          refuseFuture(parsed.data.progress, clock.now());
          writer.add({ ...params, uid: response.locals.uid }, parsed.data);
        }
        response.status(202).end();
      },
    )
    .all(only('POST'));
  return router;
}

/** A moment that no clock shows would count as the newest report for ever. */
function refuseFuture({ updatedAt }: RunProgress, now: number): void {
  if (Date.parse(updatedAt) <= now + skew) return;
  const allowed = `a moment at most a day after ${new Date(now).toISOString()}, by the clock of the operator`;
  throw new Problem(400, 'Malformed', `progress.updatedAt: ${notAllowed(updatedAt, allowed)}`);
}
