import { z } from 'zod';
import { labelName } from './names.ts';
import { listByKey } from './rules.ts';

/** The part of Kubernetes' ObjectMeta that is read here; everything else is kept as it is. */
export const objectMeta = z.looseObject({
  name: labelName,
  namespace: z.string().min(1).max(63).optional(),
  uid: z.string().optional(),
  generation: z.int().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** A moment in RFC 3339, such as 2026-11-24T13:00:00Z. */
export const timestamp = z.string().max(64);

/** metav1.Condition */
export const condition = z.strictObject({
  type: z.string().min(1).max(316).describe('What the condition is about, such as Complete.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().min(1).max(1024).describe('Why, in one CamelCase word.'),
  message: z.string().max(32_768).describe('Why, in words, and what to do.'),
  lastTransitionTime: timestamp.describe('When the status last changed.'),
  observedGeneration: z.int().min(0).optional().describe('Generation of the object it was decided for.'),
});

/** metav1.Condition list: one per type. */
export const conditions = listByKey(z.array(condition).max(16), 'type');

export const runPhases = [
  'Waiting',
  'Queued',
  'Starting',
  'Running',
  'Paused',
  'Succeeded',
  'Failed',
  'Stopped',
  'Skipped',
] as const;

export type RunPhase = (typeof runPhases)[number];
export type Condition = z.output<typeof condition>;
