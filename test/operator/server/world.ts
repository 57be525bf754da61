/** A server on loopback, asked over the network; only the API server behind it is played. */
import type { RunProgress } from '@destillml/core/api/run.ts';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import type { CachedRun, Lookup } from '../../../operator/server/bound-pod.ts';
import type { ProgressWriterOptions } from '../../../operator/server/progress-writer.ts';
import { type Reviews, reviewsBy, type User } from '../../../operator/server/reviews.ts';
import { type ServerDeps, type ServerOptions, startServer } from '../../../operator/server/server.ts';
import { ServerMetrics } from '../../../operator/server/server-metrics.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import { asking, metricIn } from './asking.ts';

export const silent = pino({ level: 'silent' });

export const progress: RunProgress = {
  epoch: 1,
  epochs: 10,
  step: 0,
  steps: 5,
  updatedAt: '2026-11-24T12:00:00.000Z',
};

export const record = {
  epoch: 1,
  loss: 2,
  crossEntropy: 2,
  trainAccuracy: 0.3,
  validationLoss: 2,
  validationAccuracy: 0.25,
  learningRate: 0.1,
  imagesPerSecond: 400,
  seconds: 9,
};

/** Token of a pod, as the API server describes it. */
export function podUser(changes: Partial<User> & { pod?: string; podUid?: string } = {}): User {
  const { pod = 'small-x1', podUid = 'pod-uid', ...rest } = changes;
  return {
    username: 'system:serviceaccount:lab:default',
    groups: ['system:serviceaccounts'],
    extra: {
      'authentication.kubernetes.io/pod-name': [pod],
      'authentication.kubernetes.io/pod-uid': [podUid],
    },
    ...rest,
  };
}

const owner = (kind: string, name: string, uid: string) => ({
  apiVersion: 'any/v1',
  kind,
  name,
  uid,
  controller: true,
});

/** What the cache holds: the Run lab/small with a Job and a pod, and lab/other with its own. */
export function objects() {
  const of = (name: string, prefix: string) => ({
    run: { metadata: { uid: `${prefix}run-uid` } } as CachedRun,
    job: {
      metadata: { uid: `${prefix}job-uid`, ownerReferences: [owner('Run', name, `${prefix}run-uid`)] },
    },
    pod: {
      metadata: {
        uid: `${prefix}pod-uid`,
        labels: { 'destillml.io/run': name, 'destillml.io/run-uid': `${prefix}run-uid` },
        ownerReferences: [owner('Job', name, `${prefix}job-uid`)],
      },
    },
  });
  const small = of('small', '');
  const other = of('other', 'other-');
  return {
    runs: new Map([
      ['lab/small', small.run],
      ['lab/other', other.run],
    ]),
    jobs: new Map([
      ['lab/small', small.job],
      ['lab/other', other.job],
    ]),
    pods: new Map([
      ['lab/small-x1', small.pod],
      ['lab/other-x1', other.pod],
    ]),
  };
}

export function lookupOf({ runs, jobs, pods }: ReturnType<typeof objects>): Lookup {
  return {
    run: ({ namespace, name }) => runs.get(`${namespace}/${name}`),
    job: ({ namespace, name }) => jobs.get(`${namespace}/${name}`),
    pod: ({ namespace, name }) => pods.get(`${namespace}/${name}`),
  };
}

/** Plays the two review APIs: whose token it is, for which audience, and who may read metrics. */
export class ReviewServer {
  readonly tokens = new Map<string, { readonly user: User; readonly audience: string }>();
  readonly scrapers = new Set<string>();
  readonly asked: string[] = [];
  isDown = false;

  readonly reviews: Reviews = reviewsBy({
    request: async <T>(_method: string, path: string, { body }: { body?: unknown }) => {
      this.asked.push(path);
      if (this.isDown) throw new Error('connect ECONNREFUSED, secret detail');
      const { kind, spec } = body as { kind: string; spec: Record<string, unknown> };
      return { status: kind === 'TokenReview' ? this.#token(spec) : this.#access(spec) } as T;
    },
  });

  #token({ token, audiences = ['api'] }: { token?: unknown; audiences?: unknown }) {
    const known = this.tokens.get(String(token));
    const isFor = known !== undefined && (audiences as string[]).includes(known.audience);
    return isFor
      ? { authenticated: true, user: known.user, audiences: [known.audience] }
      : { authenticated: false, error: 'token audiences do not fit' };
  }

  #access(spec: { user?: unknown; nonResourceAttributes?: unknown }) {
    const { path, verb } = spec.nonResourceAttributes as { path: string; verb: string };
    return { allowed: path === '/metrics' && verb === 'get' && this.scrapers.has(String(spec.user)) };
  }
}

export async function world(changes: { deps?: Partial<ServerDeps>; options?: Partial<ServerOptions> } = {}) {
  const reviewServer = new ReviewServer();
  reviewServer.tokens.set('pod-token', { user: podUser(), audience: 'destillml' });
  const cached = objects();
  const clock = new FakeClock();
  const registry = new Registry();
  const writes: unknown[] = [];
  const write: ProgressWriterOptions['write'] = async (run, status) => writes.push({ run, status }) > 0;
  const loopback = { host: '127.0.0.1', port: 0 };
  const server = await startServer(
    {
      health: loopback,
      main: loopback,
      tls: undefined,
      certificateHosts: ['localhost', '127.0.0.1'],
      audience: 'destillml',
      progressInterval: 10_000,
      ...changes.options,
    },
    {
      checks: {},
      reviews: reviewServer.reviews,
      lookup: lookupOf(cached),
      writeProgress: write,
      metrics: async () => [await registry.metrics()],
      observer: new ServerMetrics(registry),
      clock,
      log: silent,
      ...changes.deps,
    },
  );
  onTestFinished(() => server.close());

  const count = async (name: string, labels: string) => metricIn(await registry.metrics(), name, labels) ?? 0;

  return { server, reviewServer, cached, clock, writes, ask: asking(server), count };
}
