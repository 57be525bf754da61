import { posix } from 'node:path';
import { z } from 'zod';
import { s3Object, volumeFile, webFile } from './locations.ts';
import { exactlyOneOf, withRules } from './rules.ts';

const valueName = z.string().min(1).max(256);
const channels = (value: z.ZodNumber) => z.array(value).min(3).max(3);

/** A teacher in an ONNX file: where the file is (exactly one place), and what its graph calls what is needed of it. */
export const onnxTeacher = withRules(
  z.strictObject({
    http: webFile.optional().describe('Downloaded once, checked, resumed after an interruption.'),
    file: z
      .strictObject({ path: z.string().min(1).max(1024).describe('File on this machine or in the image.') })
      .optional()
      .describe('A file that is there already.'),
    persistentVolumeClaim: volumeFile.optional().describe('A file on a volume, mounted read-only.'),
    s3: s3Object.optional().describe('An object in an S3 bucket.'),
    features: z
      .array(valueName)
      .min(1)
      .max(16)
      .optional()
      .describe(
        'Names of the values that are compared with the stages of students, from the first to the last. Without it the outputs stage1, stage2 …, if there are any; else only softTargets can be used.',
      ),
    logits: valueName
      .optional()
      .describe('Name of the logits. Without it the output logits, or the only output that is no feature.'),
    normalisation: z
      .strictObject({
        mean: channels(z.number()).describe('Of red, green and blue, for values between 0 and 1.'),
        deviation: channels(z.number().gt(0)).describe('Of red, green and blue.'),
      })
      .optional()
      .describe('What the images were normalised by that it was trained with. Without it ImageNet’s.'),
  }),
  exactlyOneOf('http', 'file', 'persistentVolumeClaim', 's3'),
);

export type OnnxTeacher = z.output<typeof onnxTeacher>;

/** What messages call the file. */
export function onnxTeacherAddress({ http, file, persistentVolumeClaim: claim, s3 }: OnnxTeacher): string {
  if (http) return http.url;
  if (s3) return `s3://${posix.join(s3.bucket, s3.key)}`;
  if (claim) return `${claim.path} on PersistentVolumeClaim ${claim.claimName}`;
  return file?.path ?? '';
}
