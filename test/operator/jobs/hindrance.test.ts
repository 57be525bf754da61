import { describe, expect, it } from 'vitest';
import { hindrance } from '../../../operator/jobs/hindrance.ts';

/** As Kueue 0.17 says it: pkg/scheduler/flavorassigner/flavorassigner.go. */
const tooMuch = (flavor: string) =>
  `insufficient quota for nvidia.com/gpu in flavor ${flavor}, previously considered podsets requests (0) + current podset request (8) > maximum capacity (1)`;
const lacking = (flavor: string, resource = 'nvidia.com/gpu') =>
  `insufficient unused quota for ${resource} in flavor ${flavor}, 1 more needed`;
const unfit = (flavor: string) => `flavor ${flavor} doesn't match node affinity`;
const tainted = (flavor: string) => `untolerated taint {gpu true NoSchedule <nil>} in flavor ${flavor}`;
const none = (...reasons: readonly string[]) =>
  `couldn't assign flavors to pod set main: ${reasons.join(', ')}`;

const reasonOf = (message: string, reason = 'Pending') =>
  hindrance({ type: 'QuotaReserved', status: 'False', reason, message })?.reason;

describe('what Kueue says of a Workload that waits', () => {
  it.each([
    ['it asks for more than there will ever be', none(tooMuch('a100')), 'ExceedsQuota'],
    ['no flavor is of its nodes', none(unfit('a100'), unfit('h100')), 'NoMatchingFlavor'],
    ['it does not tolerate the nodes of the flavor', none(tainted('a100')), 'NoMatchingFlavor'],
    [
      'one flavor is too small, the other not of its nodes',
      none(unfit('a100'), tooMuch('h100')),
      'ExceedsQuota',
    ],
    [
      'the queue lacks the resource',
      none('resource memory unavailable in ClusterQueue'),
      'ResourceNotCovered',
    ],
    [
      'a flavor is too small for its GPUs, and lacks CPUs, too',
      none(tooMuch('a100'), lacking('a100', 'cpu')),
      'ExceedsQuota',
    ],
    ['it waits for quota', none(lacking('a100')), undefined],
    ['it waits for quota of the one flavor that fits', none(unfit('h100'), lacking('a100')), undefined],
    [
      'it waits for quota where another flavor is too small',
      none(tooMuch('h100'), lacking('a100')),
      undefined,
    ],
    [
      'others make room for it',
      `${none(lacking('a100'))}. Pending the preemption of 1 workload(s)`,
      undefined,
    ],
    [
      'it was looked at while another was admitted',
      'Workload no longer fits after processing another workload',
      undefined,
    ],
    [
      'its namespace is not of the queue',
      "Workload namespace doesn't match ClusterQueue selector",
      'NamespaceExcluded',
    ],
    [
      'its requests exceed its limits',
      'resources validation failed: spec.podSets[0]: Invalid value',
      'ResourcesRefused',
    ],
  ])('%s', (_what, message, reason) => {
    expect(reasonOf(message)).toBe(reason);
  });

  it.each([
    ["LocalQueue vision doesn't exist", 'QueueMissing'],
    ['LocalQueue vision is terminating or missing', 'QueueMissing'],
    ["ClusterQueue lab doesn't exist", 'QueueMissing'],
    ['ClusterQueue lab is stopped', 'QueueStopped'],
    ['LocalQueue vision is stopped', 'QueueStopped'],
    ['LocalQueue vision is inactive', 'QueueInactive'],
    ['ClusterQueue lab is inactive', 'QueueInactive'],
    ['DynamicResourceAllocation feature does not support use of resource claims', 'Inadmissible'],
  ])('it is inadmissible: %s', (message, reason) => {
    expect(reasonOf(message, 'Inadmissible')).toBe(reason);
  });

  it('is also known by the reasons of later versions', () => {
    expect(['Suspended', 'OnHold', 'Misconfigured'].map((reason) => reasonOf('Held.', reason))).toEqual([
      'QueueStopped',
      'QueueStopped',
      'QueueInactive',
    ]);
  });
});
