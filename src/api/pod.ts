import { z } from 'zod';
import { labelName, objectName } from './names.ts';
import { boundedMap } from './rules.ts';

/** A Kubernetes quantity: a whole number, or text such as 500m, 1.5 or 4Gi. */
const quantity = z.union([
  z.int().min(0),
  z
    .string()
    .max(63)
    .regex(
      /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$/,
      'a whole number or a quantity such as 500m or 4Gi',
    ),
]);
const quantities = boundedMap(253, quantity, 32);

/** What the pods of an Experiment ask for. */
export const pod = z.strictObject({
  gpus: z.int().min(0).max(64).default(1).describe('GPUs per Run; 0 trains on the CPU.'),
  resources: z
    .strictObject({
      requests: quantities.optional().describe('What the scheduler sets aside, such as cpu: 4.'),
      limits: quantities
        .optional()
        .describe(
          'What a pod may use at most, such as memory: 16Gi. It trains with as many threads as cpu allows.',
        ),
    })
    .optional()
    .describe('Requests and limits other than GPUs.'),
  nodeSelector: boundedMap(317, z.string().max(63), 32).optional().describe('Labels a node must have.'),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().max(317).optional().describe('Key of the taint; without it every key.'),
        operator: z.enum(['Exists', 'Equal']).optional().describe('Without it Equal.'),
        value: z.string().max(63).optional().describe('Value of the taint, for Equal.'),
        effect: z
          .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
          .optional()
          .describe('Effect of the taint; without it every effect.'),
        tolerationSeconds: z
          .int()
          .min(0)
          .max(2_147_483_647)
          .optional()
          .describe('Seconds before a pod is evicted by a NoExecute taint.'),
      }),
    )
    .max(32)
    .optional()
    .describe('Taints of nodes that pods may run on all the same.'),
  priorityClassName: objectName.optional().describe('PriorityClass of the pods.'),
  image: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe('Without it the image the operator was installed with.'),
  serviceAccountName: labelName.optional().describe('Without it the default account of the namespace.'),
});
export type Pod = z.output<typeof pod>;
