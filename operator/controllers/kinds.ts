import type { Experiment as ApiExperiment } from '@destillml/core/api/experiment.ts';
import type { Run as ApiRun } from '@destillml/core/api/run.ts';
import type { ClusterEvent, Job, Workload as KueueWorkload, Pod } from '../jobs/objects.ts';
import type { KubeObject, ObjectMeta, Resource } from '../runtime/resource.ts';

/** As the API server has it: checked and defaulted by the same schema, with all of its metadata. */
type Stored<T> = Omit<T, 'metadata'> & { readonly metadata: ObjectMeta };

export type Experiment = Stored<ApiExperiment>;
export type Run = Stored<ApiRun>;
export type Workload = KueueWorkload & KubeObject;

export const experiments: Resource<Experiment> = {
  apiVersion: 'destillml.io/v1alpha1',
  kind: 'Experiment',
  plural: 'experiments',
  namespaced: true,
};

export const runs: Resource<Run> = {
  apiVersion: 'destillml.io/v1alpha1',
  kind: 'Run',
  plural: 'runs',
  namespaced: true,
};

export const jobs: Resource<Job> = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true };

export const pods: Resource<Pod> = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

/** Read as `v1`, which alone can be searched by the object that an Event is about. */
export const clusterEvents: Resource<ClusterEvent> = {
  apiVersion: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};

export const kueueGroup = 'kueue.x-k8s.io';

/** Versions of Kueue's API that are understood, the preferred one first. */
export const kueueVersions = ['v1beta2', 'v1beta1'] as const;
export type KueueVersion = (typeof kueueVersions)[number];

export function workloads(version: KueueVersion): Resource<Workload> {
  return {
    apiVersion: `${kueueGroup}/${version}`,
    kind: 'Workload',
    plural: 'workloads',
    namespaced: true,
  };
}

export function workloadPriorityClasses(version: KueueVersion): Resource {
  return {
    apiVersion: `${kueueGroup}/${version}`,
    kind: 'WorkloadPriorityClass',
    plural: 'workloadpriorityclasses',
    namespaced: false,
  };
}

export function localQueues(version: KueueVersion): Resource {
  return {
    apiVersion: `${kueueGroup}/${version}`,
    kind: 'LocalQueue',
    plural: 'localqueues',
    namespaced: true,
  };
}
