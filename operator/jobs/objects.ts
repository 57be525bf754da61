import type { CoreV1Event, V1Job, V1ObjectMeta, V1Pod } from '@kubernetes/client-node';

/** A Kubernetes type as JSON carries it: times are text. */
export type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Json<T[Key]> }
      : T;

type Named<T> = Json<Omit<T, 'metadata'>> & {
  readonly metadata: Json<Omit<V1ObjectMeta, 'name' | 'namespace'>> & {
    readonly name: string;
    readonly namespace: string;
  };
};

export type Job = Named<V1Job> & { readonly apiVersion: 'batch/v1'; readonly kind: 'Job' };
export type Pod = Named<V1Pod>;
/** An Event as `v1` shows it, whichever of the two APIs it was written to. */
export type ClusterEvent = Named<CoreV1Event>;

/** What is read of a Kueue Workload: the same in v1beta1 and v1beta2. */
export type Workload = {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly creationTimestamp?: string | undefined;
  };
  readonly spec: { readonly active?: boolean; readonly queueName?: string };
  readonly status?: {
    readonly conditions?: readonly ObjectCondition[];
    readonly admissionChecks?: readonly {
      readonly name: string;
      readonly state: string;
      readonly message?: string;
    }[];
  };
};

/** What all conditions of Jobs, pods and Workloads have in common. */
export type ObjectCondition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | undefined;
};

/** The condition of this type, if it is True. */
export function conditionTrue(
  conditions: readonly ObjectCondition[] | undefined,
  type: string,
): ObjectCondition | undefined {
  return conditions?.find((condition) => condition.type === type && condition.status === 'True');
}
