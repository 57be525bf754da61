import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { DestillError } from '@destillml/core/errors.ts';
import { machineryMetrics } from '@destillml/core/metrics/machinery.ts';
import { clientOptions } from '@destillml/core/metrics/metric.ts';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { OperatorConfig } from './config.ts';
import { experimentReconciler, experimentSources } from './controllers/experiment.ts';
import { runs } from './controllers/kinds.ts';
import { Refusals } from './controllers/refusals.ts';
import { runReconciler, runSources } from './controllers/run.ts';
import { World } from './controllers/world.ts';
import { defaultJobConfig, type JobConfig } from './jobs/config.ts';
import { AttemptMetrics } from './metrics/attempt-metrics.ts';
import { StateMetrics } from './metrics/state-metrics.ts';
import packageFile from './package.json' with { type: 'json' };
import { ApiClient, type ApiClientOptions } from './runtime/api-client.ts';
import { ApiError, isNotFound } from './runtime/api-error.ts';
import type { BackOff } from './runtime/back-off.ts';
import type { Clock, Random } from './runtime/clock.ts';
import { ClusterClock } from './runtime/cluster-clock.ts';
import { Connection } from './runtime/connection.ts';
import { type ControllerOptions, runController } from './runtime/controller.ts';
import { EventRecorder } from './runtime/events.ts';
import { LeaderElection } from './runtime/leader-election.ts';
import { RuntimeMetrics } from './runtime/metrics.ts';
import { RateLimiter } from './runtime/rate-limiter.ts';
import { keyOf } from './runtime/resource.ts';
import type { Lookup } from './server/bound-pod.ts';
import { reviewsBy } from './server/reviews.ts';
import { type OperatorServer, type ServerOptions, startServer } from './server/server.ts';
import { ServerMetrics } from './server/server-metrics.ts';
import { writeStatus } from './server/write-status.ts';

export type OperatorDeps = {
  readonly kubeConfig: KubeConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** Owners of fields: what the operator decides, and what trainers report. */
const fieldManager = { operator: 'destillml-operator', progress: 'destillml-progress' } as const;

/** Between reconciles of one object that fail, in milliseconds: what was in the way is soon noticed to be gone. */
const backOff: BackOff = { base: 5, cap: 60_000 };

/** One replica of the operator. Every replica watches and takes the reports of trainers; the leader also reconciles. */
export class Operator {
  readonly world: World;
  readonly #config: OperatorConfig;
  readonly #deps: OperatorDeps;
  readonly #clock: ClusterClock;
  readonly #identity = `${hostname()}_${randomUUID()}`;
  readonly #registry = new Registry();
  readonly #metrics: RuntimeMetrics;
  readonly #attempts: AttemptMetrics;
  readonly #state: StateMetrics;
  readonly #connection: Connection;
  readonly #client: ApiClient;
  readonly #recorder: EventRecorder;
  #leads = false;

  /** @throws Error if the kubeconfig has no cluster */
  constructor(config: OperatorConfig, deps: OperatorDeps) {
    const { kubeConfig, random, log } = deps;
    this.#config = config;
    this.#deps = deps;
    const clock = new ClusterClock(deps.clock, (seconds) =>
      log.warn(
        { seconds },
        'the clock of this machine differs from the one of the API server, which is gone by',
      ),
    );
    this.#clock = clock;
    collectDefaultMetrics({ register: this.#registry });
    new Gauge(clientOptions(machineryMetrics.build, this.#registry)).set({ version: packageFile.version }, 1);
    this.#metrics = new RuntimeMetrics(this.#registry);
    this.#metrics.clockSkew(() => clock.skew);
    this.#attempts = new AttemptMetrics(this.#registry);
    this.#connection = new Connection(kubeConfig);
    this.#client = this.#limitedClient();
    this.world = new World({ client: this.#client, namespaces: config.namespaces, clock, random, log });
    this.#state = new StateMetrics(this.world, (run) => this.#attempts.failuresOf(run));
    for (const [resource, collection] of Object.entries(this.world.collections)) {
      this.#metrics.watches(resource, () => collection.events);
    }
    this.#recorder = new EventRecorder({
      client: this.#limitedClient(),
      controller: 'destillml.io/operator',
      instance: this.#identity,
      clock,
      random,
      log,
    });
  }

  /**
   * Until `signal` is aborted. A lease that is lost is stood for again, by the same process: what it knows of the cluster
   * stays, and it leads again within seconds where no other does.
   *
   * @param onListening told where the server listens
   * @throws DestillError `Environment` if the cluster cannot be reached or has no CRDs, or a port or file cannot be had
   */
  async run(
    signal: AbortSignal,
    onListening: (server: OperatorServer) => void = () => undefined,
  ): Promise<void> {
    await checkCluster(this.#client, signal);
    const jobConfig = await jobConfigOf(this.#config);
    const server = await this.#startServer();
    this.#deps.log.info({ port: server.port, healthPort: server.healthPort }, 'listening');
    onListening(server);
    // They outlive the controllers.
    const services = new AbortController();
    const served = Promise.all([this.world.run(services.signal), this.#recorder.run(services.signal)]);
    try {
      await this.#elect((leading) => this.#reconcile(jobConfig, leading), signal);
    } finally {
      services.abort();
      await Promise.all([served, server.close()]);
      this.#connection.close();
    }
  }

  async #elect(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { leaderElection, leaseName, leaseNamespace } = this.#config;
    const { random, log } = this.#deps;
    const clock = this.#clock;
    const onChange = (leads: boolean) => {
      this.#leads = leads;
      this.#metrics.leads(leaseName, leads);
    };
    onChange(!leaderElection);
    if (!leaderElection) {
      await lead(signal);
      return;
    }
    const election = new LeaderElection({
      client: this.#unlimitedClient(),
      lease: { name: leaseName, namespace: leaseNamespace },
      identity: this.#identity,
      clock,
      random,
      log,
      onChange,
    });
    while ((await election.run(lead, signal)) === 'lost') {
      log.warn('another operator leads, or the lease could not be renewed; it is stood for again');
    }
  }

  async #reconcile(config: JobConfig, signal: AbortSignal): Promise<void> {
    const { concurrency: workers } = this.#config;
    const { log } = this.#deps;
    const clock = this.#clock;
    const deps = { client: this.#client, world: this.world, recorder: this.#recorder, clock, log };
    const controller = (
      name: string,
      parts: Pick<ControllerOptions, 'sources' | 'reconcile'>,
    ): ControllerOptions => ({
      ...parts,
      name,
      queue: this.#metrics.workQueue(name, { clock, backOff }),
      observer: this.#metrics.controller(name, workers),
      workers,
      log,
      monotonic: () => clock.monotonic(),
      onEndlessConflicts: () => this.world.relist(),
    });
    const controllers = [
      controller('experiment', {
        sources: experimentSources(this.world),
        reconcile: experimentReconciler(deps),
      }),
      controller('run', { sources: runSources(this.world), reconcile: runReconciler({ ...deps, config }) }),
    ];
    const unfollow = this.#attempts.follow(this.world);
    try {
      await Promise.all(controllers.map((options) => runController(options, signal)));
    } finally {
      unfollow();
    }
  }

  /** Of this process; and if it leads, of Experiments and Runs: they are told of once. */
  async #metricsParts(): Promise<Iterable<string>> {
    const own = await this.#registry.metrics();
    const state = this.#leads ? this.#state.parts() : [];
    return (function* () {
      yield `${own}\n`;
      yield* state;
    })();
  }

  #startServer(): Promise<OperatorServer> {
    const client = this.#limitedClient().as(fieldManager.progress);
    const { cache } = this.world.runs;
    const refusals = new Refusals({ recorder: this.#recorder, clock: this.#clock, log: this.#deps.log });
    return startServer(serverOptions(this.#config), {
      checks: this.world.checks,
      reviews: reviewsBy(this.#unlimitedClient()),
      lookup: lookupIn(this.world),
      writeProgress: (run, status, signal) => writeStatus(run, status, { client, cache, refusals }, signal),
      metrics: () => this.#metricsParts(),
      observer: new ServerMetrics(this.#registry),
      clock: this.#clock,
      log: this.#deps.log,
    });
  }

  /** With a limit of its own: Events and progress do not keep reconciles waiting. */
  #limitedClient(): ApiClient {
    return new ApiClient({ ...this.#clientOptions(), limiter: new RateLimiter(this.#config, this.#clock) });
  }

  /** For what cannot wait: the lease, and answers to others. */
  #unlimitedClient(): ApiClient {
    return new ApiClient(this.#clientOptions());
  }

  #clientOptions(): ApiClientOptions {
    return {
      connection: this.#connection,
      fieldManager: fieldManager.operator,
      userAgent: `destill-operator/${packageFile.version}`,
      observe: (request) => {
        this.#clock.answered(request.date, this.#clock.monotonic() - request.seconds * 1000);
        this.#metrics.request(request);
      },
      clock: this.#clock,
    };
  }
}

/** The first request. @throws DestillError `Environment` that says what is missing, unless `signal` was aborted */
async function checkCluster(client: ApiClient, signal: AbortSignal): Promise<void> {
  try {
    await client.request('GET', `/apis/${runs.apiVersion}`, {}, signal);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new DestillError('Environment', whatIsMissing(cause), { cause });
  }
}

function whatIsMissing(error: unknown): string {
  if (isNotFound(error)) {
    return 'the cluster does not know Experiments: install the definitions first (kubectl apply --server-side -f crds/, or the Helm chart)';
  }
  // Also what kubeconfigs can be wrong about beyond their form, such as a plugin for credentials that fails.
  const what = error instanceof Error ? error.message : String(error);
  return error instanceof ApiError && (error.status === 401 || error.status === 403)
    ? `the cluster does not let the operator in: ${what}; check the credentials of the kubeconfig or service account`
    : `the cluster cannot be reached: ${what}`;
}

async function jobConfigOf(config: OperatorConfig): Promise<JobConfig> {
  const { imageCpu, imageGpu, gpuResource, pushUrl, pushCa } = config;
  const ca = pushCa === undefined ? undefined : await readAuthority(pushCa);
  return {
    ...defaultJobConfig,
    images: { cpu: imageCpu, gpu: imageGpu },
    gpuResource,
    push: { ...defaultJobConfig.push, url: pushUrl, ...(ca === undefined ? {} : { ca }) },
  };
}

async function readAuthority(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new DestillError('Environment', `--push-ca: ${what}`, { cause });
  }
  if (text.includes('-----BEGIN CERTIFICATE-----') && !text.includes('PRIVATE KEY')) return text;
  throw new DestillError('Environment', `--push-ca: ${file} is not a certificate in PEM`);
}

function serverOptions(config: OperatorConfig): ServerOptions {
  const { healthBindAddress, serverBindAddress, tlsCert, tlsKey, pushUrl, progressInterval } = config;
  return {
    health: healthBindAddress,
    main: serverBindAddress,
    tls: tlsCert === undefined || tlsKey === undefined ? undefined : { cert: tlsCert, key: tlsKey },
    certificateHosts: [...new Set([new URL(pushUrl).hostname, 'localhost', '127.0.0.1'])],
    audience: defaultJobConfig.push.audience,
    progressInterval: progressInterval * 1000,
  };
}

function lookupIn({ runs: all, jobs, pods }: World): Lookup {
  return {
    run: (ref) => all.cache.get(keyOf(ref)),
    job: (ref) => jobs.cache.get(keyOf(ref)),
    pod: (ref) => pods.cache.get(keyOf(ref)),
  };
}
