import type { ObjectMeta, Resource } from './resource.ts';

/** coordination.k8s.io/v1 Lease */
export type Lease = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: LeaseSpec;
};

export type LeaseSpec = {
  /** Empty: nobody holds it. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** MicroTime. */
  readonly acquireTime?: string;
  /** MicroTime. */
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
};

export const leases: Resource<Lease> = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

/** A lease as it was last seen, and since when it looks like that by the clock of this machine, in monotonic milliseconds. */
export type Observation = { readonly lease: Lease; readonly since: number };

/** The observation after the lease was read once more: the wait for its end starts anew only if its holder renewed it. */
export function observe(before: Observation | undefined, lease: Lease, now: number): Observation {
  const same = before !== undefined && JSON.stringify(before.lease.spec) === JSON.stringify(lease.spec);
  return { lease, since: same ? before.since : now };
}

/**
 * Whether `identity` may take the lease.
 *
 * A holder's time is over when nothing was seen of it for the duration it promised, by this machine's clock: the times
 * in the lease come from another one, which may be wrong.
 */
export function isFree({ lease, since }: Observation, identity: string, now: number): boolean {
  const { holderIdentity = '', leaseDurationSeconds = 0 } = lease.spec ?? {};
  return holderIdentity === '' || holderIdentity === identity || now >= since + leaseDurationSeconds * 1000;
}

/** The lease when `identity` takes or renews it. @param at MicroTime */
export function held(
  spec: LeaseSpec | undefined,
  identity: string,
  durationSeconds: number,
  at: string,
): LeaseSpec {
  const renewed = spec?.holderIdentity === identity;
  const transitions = spec?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: durationSeconds,
    acquireTime: renewed ? (spec.acquireTime ?? at) : at,
    renewTime: at,
    leaseTransitions: spec === undefined || renewed ? transitions : transitions + 1,
  };
}

/** The lease when its holder gives it up: anybody may take it at once. @param at MicroTime */
export function released(spec: LeaseSpec, at: string): LeaseSpec {
  return { ...spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: at, renewTime: at };
}
