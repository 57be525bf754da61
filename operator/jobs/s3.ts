import type { Storage } from '@destillml/core/api/storage.ts';
import type { V1EnvVar } from '@kubernetes/client-node';

type S3Location = NonNullable<Storage['s3']>;

/** Three places may be in three stores with three secrets. */
export type S3Purpose = 'ARTIFACTS' | 'TEACHER' | 'DATASET';

/**
 * How the trainer reaches a bucket: `DESTILL_<purpose>_S3_REGION`, `_ENDPOINT` (absent for AWS), `_ACCESS_KEY_ID` and
 * `_SECRET_ACCESS_KEY`. Bucket and prefix are in the assignment.
 */
export function s3Environment(purpose: S3Purpose, location: S3Location | undefined): V1EnvVar[] {
  if (location === undefined) return [];
  const name = (suffix: string) => `DESTILL_${purpose}_S3_${suffix}`;
  const secret = (suffix: string, key: string) => ({
    name: name(suffix),
    valueFrom: { secretKeyRef: { name: location.secretName, key } },
  });
  return [
    { name: name('REGION'), value: location.region },
    ...(location.endpoint === undefined ? [] : [{ name: name('ENDPOINT'), value: location.endpoint }]),
    secret('ACCESS_KEY_ID', 'accessKeyId'),
    secret('SECRET_ACCESS_KEY', 'secretAccessKey'),
  ];
}
