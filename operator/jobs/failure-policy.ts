import { exitCodes, finalExitCodes } from '@destillml/core/protocol/report.ts';
import type { V1PodFailurePolicy } from '@kubernetes/client-node';
import { container } from './contract.ts';

/**
 * Which ends of a pod count as failed attempts. The first rule that matches decides; others count.
 *
 * A trainer that says no retry can help is believed even when its pod was being evicted.
 */
export const failurePolicy: V1PodFailurePolicy = {
  rules: [
    {
      action: 'FailJob',
      onExitCodes: { containerName: container, operator: 'In', values: [...finalExitCodes] },
    },
    {
      action: 'Ignore',
      onExitCodes: { containerName: container, operator: 'In', values: [exitCodes.preempted] },
    },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ],
};
