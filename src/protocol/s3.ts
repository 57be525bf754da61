/** How a trainer is told to reach buckets: by variables of its environment. */

/** What is kept there: places that may be in different stores with different secrets. `ONNX`: the file of a teacher. */
export type S3Purpose = 'ARTIFACTS' | 'TEACHER' | 'ONNX' | 'DATASET';

/** `DESTILL_ARTIFACTS_S3_REGION` and the like. `ENDPOINT` is absent for AWS. */
export function s3Variable(
  purpose: S3Purpose,
  suffix: 'REGION' | 'ENDPOINT' | 'ACCESS_KEY_ID' | 'SECRET_ACCESS_KEY',
): string {
  return `DESTILL_${purpose}_S3_${suffix}`;
}
