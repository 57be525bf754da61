import { z } from 'zod';
import { objectName } from './names.ts';

const webAddress = z
  .string()
  .max(2048)
  .regex(/^https?:\/\//, 'an address that begins with http:// or https://');

/** A file that anybody can download, and what it must contain. */
export const webFile = z.strictObject({
  url: webAddress.describe('Address of the archive or file.'),
  sha256: z
    .string()
    .length(64)
    .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case')
    .describe('SHA-256 of the file in hexadecimal. The download is refused if it differs.'),
});

/** A folder inside a volume of the cluster. */
export const volumeFolder = z.strictObject({
  claimName: objectName.describe('PersistentVolumeClaim in the namespace of the Experiment.'),
  path: z.string().min(1).max(1024).default('.').describe('Folder inside the volume.'),
});

/** A file inside a volume of the cluster. */
export const volumeFile = volumeFolder.extend({
  path: z.string().min(1).max(1024).describe('File inside the volume.'),
});

const bucket = z
  .string()
  .min(3)
  .max(63)
  .regex(/^[a-z0-9][-.a-z0-9]*[a-z0-9]$/, 'a bucket name: lower-case letters, digits, dots and hyphens')
  .describe('Name of the bucket.');

/** How to reach the store that a bucket is in. */
const s3Store = {
  endpoint: webAddress.optional().describe('Address of a store other than AWS.'),
  region: z.string().min(1).max(64).default('us-east-1').describe('Region of the bucket.'),
  secretName: objectName.describe('Secret with the keys accessKeyId and secretAccessKey.'),
};

/** A place in an S3 store. */
export const s3Location = z.strictObject({
  bucket,
  prefix: z.string().max(512).default('').describe('Put before every key, such as vision/.'),
  ...s3Store,
});

/** An object in an S3 store. */
export const s3Object = z.strictObject({
  bucket,
  key: z.string().min(1).max(1024).describe('Key of the object, such as teachers/resnet50.onnx.'),
  ...s3Store,
});

export type S3Location = z.output<typeof s3Location>;
export type S3Object = z.output<typeof s3Object>;
