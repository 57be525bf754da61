import { z } from 'zod';

/** Where checkpoints, results and models are kept: exactly one field. */
export const storage = z.strictObject({
  persistentVolumeClaim: z
    .strictObject({
      claimName: z.string().min(1).max(253),
      path: z.string().min(1).max(1024).default('.').describe('Folder inside the volume.'),
    })
    .optional(),
  s3: z
    .strictObject({
      bucket: z.string().min(3).max(63),
      prefix: z.string().max(512).default(''),
      endpoint: z.string().max(2048).optional(),
      region: z.string().min(1).max(64).default('us-east-1'),
      secretName: z.string().min(1).max(253).describe('Secret with the keys accessKeyId and secretAccessKey.'),
    })
    .optional(),
});

export type Storage = z.output<typeof storage>;
