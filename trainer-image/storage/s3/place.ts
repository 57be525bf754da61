import { posix } from 'node:path';
import { DestillError, type ErrorCode } from '@destillml/core/errors.ts';
import { type S3Purpose, s3Variable } from '@destillml/core/protocol/s3.ts';

/** A folder of a bucket, and how to reach it. */
export interface S3Place {
  readonly purpose: S3Purpose;
  readonly bucket: string;
  /** Before every key, without slashes at its ends; empty for the whole bucket. */
  readonly path: string;
  readonly region: string;
  /** Absent for AWS. */
  readonly endpoint?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

type Env = Readonly<Record<string, string | undefined>>;

const scheme = 's3://';

export function isS3(address: string): boolean {
  return address.startsWith(scheme);
}

export function s3Address({ bucket, prefix }: { readonly bucket: string; readonly prefix: string }): string {
  return `${scheme}${posix.join(bucket, prefix)}`;
}

/**
 * The place at `s3://bucket/path`, with what the environment says about it (src/protocol/s3.ts).
 *
 * @throws DestillError `InvalidSpec` on an endpoint that is no address; where a key is missing, the error that says
 * that the place cannot be reached.
 */
export function s3Place(purpose: S3Purpose, address: string, env: Env): S3Place {
  const [bucket = '', ...path] = address.slice(scheme.length).split('/');
  const key = (suffix: 'ACCESS_KEY_ID' | 'SECRET_ACCESS_KEY', secretKey: string) => {
    const name = s3Variable(purpose, suffix);
    // A line break at the end comes with "kubectl create secret --from-file".
    const value = env[name]?.trim();
    if (value) return value;
    throw new DestillError(
      errorCode(purpose),
      `${address}: the environment variable ${name} is ${value === undefined ? 'not set' : 'empty'}. It comes from ${secretKey} in ${secretOf(purpose)}.`,
    );
  };
  const endpoint = env[s3Variable(purpose, 'ENDPOINT')];
  if (endpoint && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new DestillError(
      'InvalidSpec',
      `${fieldOf(purpose, 'endpoint')}: "${endpoint}" is not an http or https address.`,
    );
  }
  return {
    purpose,
    bucket,
    path: path.filter((part) => part !== '').join('/'),
    region: env[s3Variable(purpose, 'REGION')] || 'us-east-1',
    ...(endpoint ? { endpoint } : {}),
    accessKeyId: key('ACCESS_KEY_ID', 'accessKeyId'),
    secretAccessKey: key('SECRET_ACCESS_KEY', 'secretAccessKey'),
  };
}

/** A field of the place in an Experiment, as messages name it. */
export function fieldOf(purpose: S3Purpose, field: 'bucket' | 'endpoint' | 'region' | 'secretName'): string {
  switch (purpose) {
    case 'ARTIFACTS':
      return `spec.storage.s3.${field}`;
    case 'TEACHER':
      return `spec.storage.s3.${field} of the Experiment of the teacher`;
    case 'ONNX':
      return `spec.teacher.from.onnx.s3.${field}`;
    case 'DATASET':
      return `spec.dataset.source.s3.${field}`;
  }
}

export function secretOf(purpose: S3Purpose): string {
  return `the Secret that ${fieldOf(purpose, 'secretName')} names`;
}

/** Kind of the errors where the place cannot be reached, read or written. */
export function errorCode(purpose: S3Purpose): ErrorCode {
  switch (purpose) {
    case 'ARTIFACTS':
    case 'TEACHER':
      return 'StorageUnavailable';
    case 'ONNX':
      return 'TeacherMissing';
    case 'DATASET':
      return 'DatasetUnavailable';
  }
}
