import { z } from 'zod';
import { objectName } from './names.ts';

export const webAddress = z
  .string()
  .max(2048)
  .regex(/^https?:\/\//, 'an address that begins with http:// or https://');

/** A folder inside a volume of the cluster. */
export const volumeFolder = z.strictObject({
  claimName: objectName.describe('PersistentVolumeClaim in the namespace of the Experiment.'),
  path: z.string().min(1).max(1024).default('.').describe('Folder inside the volume.'),
});

/** A place in an S3 store. */
export const s3Location = z.strictObject({
  bucket: z
    .string()
    .min(3)
    .max(63)
    .regex(/^[a-z0-9][-.a-z0-9]*[a-z0-9]$/, 'a bucket name: lower-case letters, digits, dots and hyphens')
    .describe('Name of the bucket.'),
  prefix: z.string().max(512).default('').describe('Put before every key, such as vision/.'),
  endpoint: webAddress.optional().describe('Address of a store other than AWS.'),
  region: z.string().min(1).max(64).default('us-east-1').describe('Region of the bucket.'),
  secretName: objectName.describe('Secret with the keys accessKeyId and secretAccessKey.'),
});
