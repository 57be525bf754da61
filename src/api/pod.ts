import { z } from 'zod';

const quantities = z.record(z.string().max(253), z.string().max(63));

/** What the pods of an Experiment ask for. */
export const pod = z.strictObject({
  gpus: z.int().min(0).max(64).default(1).describe('GPUs per Run; 0 trains on the CPU.'),
  resources: z
    .strictObject({ requests: quantities.optional(), limits: quantities.optional() })
    .optional()
    .describe('Requests and limits other than GPUs.'),
  nodeSelector: z.record(z.string().max(317), z.string().max(63)).optional(),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().max(317).optional(),
        operator: z.enum(['Exists', 'Equal']).optional(),
        value: z.string().max(63).optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
        tolerationSeconds: z.int().min(0).optional(),
      }),
    )
    .max(32)
    .optional(),
  priorityClassName: z.string().min(1).max(253).optional(),
  image: z.string().min(1).max(512).optional().describe('Default: the image the operator was installed with.'),
  serviceAccountName: z.string().min(1).max(253).optional(),
});

export type Pod = z.output<typeof pod>;
