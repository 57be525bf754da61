import { z } from 'zod';

/** A DNS label, short enough that every Run's name fits 63 characters. */
export const shortName = z
  .string()
  .min(1)
  .max(30)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
