import { z } from 'zod';

/** The part of Kubernetes' ObjectMeta that is read here; everything else is kept as it is. */
export const objectMeta = z.looseObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/),
  namespace: z.string().min(1).max(63).optional(),
  uid: z.string().optional(),
  generation: z.int().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** metav1.Condition */
export const condition = z.strictObject({
  type: z.string().min(1).max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().min(1).max(1024),
  message: z.string().max(32_768),
  lastTransitionTime: z.string(),
  observedGeneration: z.int().optional(),
});

export const runPhases = [
  'Waiting',
  'Queued',
  'Starting',
  'Running',
  'Succeeded',
  'Failed',
  'Stopped',
  'Skipped',
] as const;

export type RunPhase = (typeof runPhases)[number];
export type Condition = z.output<typeof condition>;
