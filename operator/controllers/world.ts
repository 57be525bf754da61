import type { Logger } from 'pino';
import { label } from '../jobs/contract.ts';
import type { Job, Pod } from '../jobs/objects.ts';
import type { ApiClient } from '../runtime/api-client.ts';
import { Cache, type CacheOptions, labelValue, ownerUids, withoutManagedFields } from '../runtime/cache.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import { Collection } from '../runtime/collection.ts';
import { HistoryLost } from '../runtime/list-watch.ts';
import { type KubeObject, keyOf, type Resource } from '../runtime/resource.ts';
import { type Experiment, experiments, jobs, pods, type Run, runs } from './kinds.ts';
import { Kueue } from './kueue.ts';

export type WorldOptions = {
  readonly client: Pick<ApiClient, 'list' | 'watch' | 'request'>;
  /** Namespaces that are watched; undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** What is known of the objects of one kind. */
export type Known<T extends KubeObject> = Pick<Collection<T>, 'cache' | 'isSynced'>;

/** What the operator sees of the cluster, kept up to date; shared by controllers and server. */
export class World {
  /** Indices: `teacher` as `teacherKeys`; `queued`, of those with a queue, by namespace. */
  readonly experiments: Collection<Experiment>;
  /**
   * Indices by the Experiment's uid: `owner`; `teacherOf`, of teachers. And `teacher`, by the `namespace/name` of the Run that
   * is its teacher.
   */
  readonly runs: Collection<Run>;
  /** Those of Runs; each has its Run's name. */
  readonly jobs: Collection<Job>;
  /** Those of Runs. Index `run` by the Run's `namespace/name`. */
  readonly pods: Collection<Pod>;
  readonly kueue: Kueue;

  constructor(options: WorldOptions) {
    this.experiments = collection(experiments, options, {
      indexers: { teacher: teacherKeys, queued: queueNamespace },
    });
    this.runs = collection(runs, options, {
      indexers: { owner: ownerUids, teacherOf: teacherOwners, teacher: teacherOfRun },
    });
    this.jobs = collection(jobs, options, { trim: withoutTemplate }, label.run);
    this.pods = collection(
      pods,
      options,
      { trim: withoutEnvironment, indexers: { run: labelValue(label.run) } },
      label.run,
    );
    this.kueue = new Kueue(options);
  }

  /** By name: whether all of it is known. */
  get checks(): Readonly<Record<string, () => boolean>> {
    return {
      experiments: () => this.experiments.isSynced,
      runs: () => this.runs.isSynced,
      jobs: () => this.jobs.isSynced,
      pods: () => this.pods.isSynced,
      kueue: () => this.kueue.isSynced,
    };
  }

  /** By resource. */
  get collections(): Readonly<Record<string, { readonly events: number }>> {
    const { experiments: all, runs: theirs, jobs: made, pods: running } = this;
    return { experiments: all, runs: theirs, jobs: made, pods: running };
  }

  /** Lists everything again, now: what is known has turned out to be wrong. */
  relist(): void {
    for (const part of [this.experiments, this.runs, this.jobs, this.pods]) part.relist();
  }

  /** Until `signal` is aborted; it never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const parts = [this.experiments, this.runs, this.jobs, this.pods, this.kueue];
    await Promise.all(parts.map((part) => part.run(signal)));
  }
}

function collection<T extends KubeObject>(
  resource: Resource<T>,
  { client, namespaces, clock, random, log }: WorldOptions,
  cache: Omit<CacheOptions<T>, 'onHandlerError'>,
  labelSelector?: string,
): Collection<T> {
  const { plural } = resource;
  return new Collection<T>({
    client,
    resource,
    namespaces,
    selection: { labelSelector },
    cache: new Cache<T>({
      ...cache,
      onHandlerError: (err) => log.error({ err, plural }, 'a change was not handled'),
    }),
    clock,
    random,
    onRestart: (err, failures) => {
      // Once is everyday: an API server that restarts ends every watch.
      if (failures > 0 || err instanceof HistoryLost)
        log.warn({ err, plural, failures }, 'cannot be listed or watched; it is tried again');
    },
  });
}

/** What `spec.teacher.from` names: `experiment:namespace/name` or `run:namespace/name`. */
function teacherKeys({ metadata, spec }: Experiment): readonly string[] {
  const { from } = spec.teacher;
  if (from === undefined) return [];
  const namespace = from.namespace ?? metadata.namespace;
  if (from.run !== undefined) return [teacherKey('run', { namespace, name: from.run })];
  return from.experiment === undefined
    ? []
    : [teacherKey('experiment', { namespace, name: from.experiment })];
}

function teacherOfRun({ metadata, spec: { parameters } }: Run): readonly string[] {
  const { teacherRun: name, teacherNamespace: namespace = metadata.namespace } = parameters;
  return name === undefined ? [] : [keyOf({ namespace, name })];
}

export function teacherKey(
  kind: 'experiment' | 'run',
  ref: { readonly namespace?: string | undefined; readonly name: string },
): string {
  return `${kind}:${keyOf(ref)}`;
}

function teacherOwners(run: Run): readonly string[] {
  return run.spec.parameters.role === 'teacher' ? ownerUids(run) : [];
}

function queueNamespace({ metadata: { namespace = '' }, spec: { queue } }: Experiment): readonly string[] {
  return queue === undefined ? [] : [namespace];
}

/** Most of a Job is the template of its pods. */
function withoutTemplate(job: Job): Job {
  const { spec, ...rest } = withoutManagedFields(job);
  return spec === undefined ? rest : { ...rest, spec: { ...spec, template: {} } };
}

/** Most of a pod is what its trainer was told. */
function withoutEnvironment(pod: Pod): Pod {
  const { spec, ...rest } = withoutManagedFields(pod);
  if (spec === undefined) return rest;
  const { nodeName, volumes = [], containers } = spec;
  return {
    ...rest,
    spec: {
      ...(nodeName === undefined ? {} : { nodeName }),
      volumes,
      containers: containers.map(({ name, image, resources }) => ({
        name,
        ...(image === undefined ? {} : { image }),
        ...(resources === undefined ? {} : { resources }),
      })),
    },
  };
}
