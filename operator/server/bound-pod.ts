import type { RunProgress } from '@destillml/core/api/run.ts';
import { label } from '../jobs/contract.ts';
import { Problem } from './problem.ts';
import type { User } from './reviews.ts';

export type Ref = { readonly namespace: string; readonly name: string };

/** What is read of objects in the cache. */
type Cached = {
  readonly metadata: {
    readonly uid?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly ownerReferences?: readonly Owner[] | undefined;
  };
};
type Owner = {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
};

export type CachedRun = {
  readonly metadata: { readonly uid?: string | undefined };
  readonly status?:
    | {
        readonly progress?: RunProgress | undefined;
        readonly history?: readonly number[] | undefined;
      }
    | undefined;
};

/** The caches; undefined where there is no such object. */
export type Lookup = {
  readonly run: (ref: Ref) => CachedRun | undefined;
  readonly job: (ref: Ref) => Cached | undefined;
  readonly pod: (ref: Ref) => Cached | undefined;
};

/**
 * The Run, if the token is bound to one of its pods.
 *
 * @throws Problem 403 if the token is bound to no pod, or to one of another namespace or Run; 404 if there is no such Run
 */
export function runOfToken(user: User, target: Ref, lookup: Lookup): CachedRun & { readonly uid: string } {
  const { namespace } = target;
  if (!user.username.startsWith(`system:serviceaccount:${namespace}:`)) {
    throw forbidden(`the token belongs to ${user.username}, not to a service account of ${namespace}`);
  }
  const [podName] = user.extra['authentication.kubernetes.io/pod-name'] ?? [];
  const [podUid] = user.extra['authentication.kubernetes.io/pod-uid'] ?? [];
  if (podName === undefined || podUid === undefined) throw forbidden('the token is bound to no pod');

  const run = lookup.run(target);
  const uid = run?.metadata.uid;
  if (run === undefined || uid === undefined) {
    throw new Problem(404, 'NotFound', `there is no Run ${target.name} in ${namespace}`);
  }
  const pod = lookup.pod({ namespace, name: podName });
  if (pod === undefined || pod.metadata.uid !== podUid) {
    throw forbidden(`the pod ${podName}, which the token is bound to, is not there`);
  }
  const labels = pod.metadata.labels ?? {};
  const owner = controllerOf(pod, 'Job');
  const job = owner && lookup.job({ namespace, name: owner.name });
  // Labels alone may be copied. Who also forges owners can do worse: the Job controller takes such a pod for the Job's.
  const isOfRun =
    labels[label.run] === target.name &&
    labels[label.runUid] === uid &&
    job?.metadata.uid === owner?.uid &&
    job !== undefined &&
    controllerOf(job, 'Run')?.uid === uid;
  if (!isOfRun) throw forbidden(`the pod ${podName} is not one of the Run ${target.name}`);
  return { ...run, uid };
}

function controllerOf({ metadata }: Cached, kind: string): Owner | undefined {
  return metadata.ownerReferences?.find((owner) => owner.controller === true && owner.kind === kind);
}

function forbidden(message: string): Problem {
  return new Problem(403, 'Forbidden', message);
}
