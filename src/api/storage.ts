import { z } from 'zod';
import { s3Location, volumeFolder } from './locations.ts';
import { exactlyOneOf, withRules } from './rules.ts';

/** Where checkpoints, results and models are kept: exactly one field. */
export const storage = withRules(
  z.strictObject({
    persistentVolumeClaim: volumeFolder
      .optional()
      .describe('A folder of a volume that all Runs can write to.'),
    s3: s3Location.optional().describe('A place in an S3 bucket.'),
  }),
  exactlyOneOf('persistentVolumeClaim', 's3'),
);
export type Storage = z.output<typeof storage>;
