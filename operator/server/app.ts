import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import { atMost } from './at-most.ts';
import { Problem, problemOf } from './problem.ts';

export type AppDeps = { readonly log: Logger; readonly clock: Clock };

/** Refusals that the log tells of in a minute: anybody may be refused, any number of times, and none fills the log. */
const refusalsLogged = 10;

/** An application of these endpoints. Whatever goes wrong is answered by a status and `{code, message}`. */
export function app(deps: AppDeps, ...endpoints: readonly Router[]): Express {
  const application = express();
  application.disable('x-powered-by').disable('etag').disable('query parser');
  application.use(harmless, ...endpoints, notFound, answerError(deps));
  return application;
}

/** Last handler of a route: it takes this method only. */
export function only(method: string): RequestHandler {
  return (request, response) => {
    response.setHeader('allow', method);
    throw new Problem(405, 'MethodNotAllowed', `${request.path} takes ${method}, not ${request.method}`);
  };
}

/** Answers are data for programs: no browser guesses what they are, nothing on the way keeps them. */
const harmless: RequestHandler = (_request, response, next) => {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cache-control', 'no-store');
  next();
};

const notFound: RequestHandler = ({ path }) => {
  throw new Problem(404, 'NotFound', `there is nothing at ${path}`);
};

function answerError({ log, clock }: AppDeps): ErrorRequestHandler {
  const isTold = atMost(refusalsLogged, 60_000, clock);
  return (error: unknown, { method, path, socket }, response, _next) => {
    const problem = problemOf(error);
    const { status, code, message } = problem;
    const line = { method, path, status, code, err: problem.cause ?? problem };
    if (status >= 500) log.error(line, 'request failed');
    else if ((status === 401 || status === 403) && isTold())
      log.warn({ method, path, status, code }, message);
    else log.debug({ method, path, status, code }, message);
    if (response.headersSent) {
      socket.destroy();
      return;
    }
    if (status === 401) response.setHeader('www-authenticate', 'Bearer');
    response.status(status).json({ code, message });
  };
}
