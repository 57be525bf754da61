import { z } from 'zod';

/** Data sets the trainer can read. */
export const datasetNames = ['cifar10', 'cifar100', 'mnist', 'fashion-mnist', 'image-folder'] as const;
export type DatasetName = (typeof datasetNames)[number];

const probability = z.number().min(0).max(1);
const range = (min: number, max: number) => z.array(z.number().min(min).max(max)).min(2).max(2);

/** Where the files of a data set come from: exactly one field is set. */
export const datasetSource = z.strictObject({
  packaged: z.strictObject({}).optional().describe('Files that come with the trainer: mnist, fashion-mnist.'),
  http: z
    .strictObject({
      url: z.string().regex(/^https?:\/\//).max(2048).describe('Address of the archive or file.'),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .describe('SHA-256 of the file in hexadecimal. The download is refused if it differs.'),
    })
    .optional()
    .describe('Downloaded once, checked, resumed after an interruption.'),
  directory: z
    .strictObject({ path: z.string().min(1).max(1024).describe('Folder on this machine or in the image.') })
    .optional()
    .describe('Files that are there already.'),
  persistentVolumeClaim: z
    .strictObject({
      claimName: z.string().min(1).max(253).describe('A claim in the namespace of the Experiment.'),
      path: z.string().min(1).max(1024).default('.').describe('Folder inside the volume.'),
    })
    .optional()
    .describe('Files on a volume, mounted read-only.'),
  s3: z
    .strictObject({
      bucket: z.string().min(3).max(63),
      prefix: z.string().max(512).default(''),
      endpoint: z.string().max(2048).optional().describe('Address of a store other than AWS.'),
      region: z.string().min(1).max(64).default('us-east-1'),
      secretName: z.string().min(1).max(253).describe('Secret with the keys accessKeyId and secretAccessKey.'),
    })
    .optional()
    .describe('Files in an S3 bucket.'),
});

/** Random transformations of training images. Validation and test images are never augmented. */
export const augmentation = z.strictObject({
  horizontalFlip: probability.optional().describe('Probability of mirroring an image.'),
  crop: z
    .strictObject({ padding: z.int().min(0).max(64).describe('Pixels of zeros added on each side before the crop.') })
    .optional()
    .describe('Random crop of the padded image back to its size.'),
  colorJitter: z
    .strictObject({
      brightness: z.number().min(0).max(1).default(0),
      contrast: z.number().min(0).max(1).default(0),
      saturation: z.number().min(0).max(1).default(0),
      hue: z.number().min(0).max(0.5).default(0),
    })
    .optional()
    .describe('Factors drawn from [1 − v, 1 + v]; hue shift from [−v, v] turns. As in torchvision.'),
  rotation: z.number().min(0).max(180).optional().describe('Angle drawn from [−v, v] degrees.'),
  resizedCrop: z
    .strictObject({
      scale: range(0.01, 1).default([0.8, 1]).describe('Smallest and largest share of the area.'),
      ratio: range(0.1, 10).default([0.9, 1.1]).describe('Smallest and largest width / height.'),
    })
    .optional()
    .describe('Random crop of that area and aspect ratio, resized to the full image.'),
});

export const dataset = z.strictObject({
  name: z.enum(datasetNames).describe('Format and data set.'),
  source: datasetSource.default({ packaged: {} }).describe('Where the files come from; exactly one field.'),
  imageSize: z
    .int()
    .min(16)
    .max(512)
    .optional()
    .describe('Side in pixels that images are resized to. Default 32, image-folder 224.'),
  validation: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(5000)
    .describe('Images held out of the training split to select the best epoch; class-balanced, never augmented.'),
  fraction: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Share of the remaining training images that is used, class-balanced.'),
  splitSeed: z.int().min(0).max(2_147_483_647).default(42).describe('Seed of the validation split and the fraction.'),
  augmentation: augmentation.default({}).describe('Random transformations of training images.'),
});

export type Augmentation = z.output<typeof augmentation>;
export type Dataset = z.output<typeof dataset>;
export type DatasetSource = z.output<typeof datasetSource>;
