import type { S3Location } from '@destillml/core/api/locations.ts';
import { type S3Purpose, s3Variable } from '@destillml/core/protocol/s3.ts';
import type { V1EnvVar } from '@kubernetes/client-node';

/** How the trainer reaches a bucket. Which bucket, and where in it, is in the assignment. */
export function s3Environment(
  purpose: S3Purpose,
  location: Pick<S3Location, 'region' | 'endpoint' | 'secretName'> | undefined,
): V1EnvVar[] {
  if (location === undefined) return [];
  const secret = (suffix: 'ACCESS_KEY_ID' | 'SECRET_ACCESS_KEY', key: string) => ({
    name: s3Variable(purpose, suffix),
    valueFrom: { secretKeyRef: { name: location.secretName, key } },
  });
  return [
    { name: s3Variable(purpose, 'REGION'), value: location.region },
    ...(location.endpoint === undefined
      ? []
      : [{ name: s3Variable(purpose, 'ENDPOINT'), value: location.endpoint }]),
    secret('ACCESS_KEY_ID', 'accessKeyId'),
    secret('SECRET_ACCESS_KEY', 'secretAccessKey'),
  ];
}
