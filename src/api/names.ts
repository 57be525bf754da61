import { z } from 'zod';

const label = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'lower-case letters, digits and hyphens, beginning and ending with a letter or digit',
  );

/** A DNS label, short enough that every Run's name fits 63 characters. */
export const shortName = label.min(1).max(30);

/** A DNS label: names of namespaces, Experiments and Runs. */
export const labelName = label.min(1).max(63);

/** Names of the studies of a sweep: teacher, STUDENT.baseline, STUDENT.ARM. Also the value of a label. */
export const studyName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, 'teacher, STUDENT.baseline or STUDENT.ARM');

/** A DNS subdomain: names of most other Kubernetes objects. */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/,
    'lower-case letters, digits, dots and hyphens, beginning and ending with a letter or digit',
  );

/** Seed of a random generator: a non-negative 32-bit number. */
export const seed = z.int().min(0).max(2_147_483_647);
