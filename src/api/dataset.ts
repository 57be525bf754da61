import { z } from 'zod';
import { s3Location, volumeFolder, webFile } from './locations.ts';
import { seed } from './names.ts';
import { exactlyOneOf, withRules } from './rules.ts';

/** Data sets the trainer can read. */
export const datasetNames = ['cifar10', 'cifar100', 'mnist', 'fashion-mnist', 'image-folder'] as const;
export type DatasetName = (typeof datasetNames)[number];

const probability = z.number().min(0).max(1);
const jitter = (max: number) => z.number().min(0).max(max).default(0);
const range = (max: number) => z.array(z.number().gt(0).max(max)).min(2).max(2);

/** Where the files of a data set come from: exactly one field is set. */
export const datasetSource = withRules(
  z.strictObject({
    packaged: z
      .strictObject({})
      .optional()
      .describe('Files that come with the trainer: mnist and fashion-mnist.'),
    http: webFile.optional().describe('Downloaded once, checked, resumed after an interruption.'),
    directory: z
      .strictObject({ path: z.string().min(1).max(1024).describe('Folder on this machine or in the image.') })
      .optional()
      .describe('Files that are there already.'),
    persistentVolumeClaim: volumeFolder.optional().describe('Files on a volume, mounted read-only.'),
    s3: s3Location.optional().describe('Files in an S3 bucket.'),
  }),
  exactlyOneOf('packaged', 'http', 'directory', 'persistentVolumeClaim', 's3'),
);

/** Random transformations of training images. Validation and test images are never augmented. */
export const augmentation = z.strictObject({
  horizontalFlip: probability.optional().describe('Probability of mirroring an image.'),
  crop: z
    .strictObject({
      padding: z.int().min(0).max(64).describe('Pixels of zeros added on each side before the crop.'),
    })
    .optional()
    .describe('Random crop of the padded image back to its size.'),
  colorJitter: z
    .strictObject({
      brightness: jitter(1).describe('Brightness is multiplied by a factor from [1 − v, 1 + v].'),
      contrast: jitter(1).describe('Contrast is multiplied by a factor from [1 − v, 1 + v].'),
      saturation: jitter(1).describe('Saturation is multiplied by a factor from [1 − v, 1 + v].'),
      hue: jitter(0.5).describe('Hue is turned by a share of the colour circle from [−v, v].'),
    })
    .optional()
    .describe('Random change of colours, as in torchvision.'),
  rotation: z.number().min(0).max(180).optional().describe('Angle drawn from [−v, v] degrees.'),
  resizedCrop: withRules(
    z.strictObject({
      scale: range(1).default([0.8, 1]).describe('Smallest and largest share of the area.'),
      ratio: range(10).default([0.9, 1.1]).describe('Smallest and largest width / height.'),
    }),
    { rule: 'self.scale[0] <= self.scale[1]', message: 'smallest first, then largest', fieldPath: '.scale' },
    { rule: 'self.ratio[0] <= self.ratio[1]', message: 'smallest first, then largest', fieldPath: '.ratio' },
  )
    .optional()
    .describe('Random crop of that area and aspect ratio, resized to the full image.'),
});

export const dataset = withRules(
  z.strictObject({
    name: z.enum(datasetNames).describe('Data set, and with it the format of its files.'),
    source: datasetSource.default({ packaged: {} }).describe('Where the files come from.'),
    imageSize: z
      .int()
      .min(16)
      .max(512)
      .optional()
      .describe('Side in pixels that images are resized to. Without it 32; image-folder 224.'),
    validation: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(5000)
      .describe(
        'Images held out of the training split to select the best epoch; class-balanced, never augmented.',
      ),
    fraction: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('Share of the remaining training images that is used, class-balanced.'),
    splitSeed: seed.default(42).describe('Seed of the validation split and the fraction.'),
    augmentation: augmentation.default({}).describe('Random transformations of training images.'),
  }),
  {
    rule: "!has(self.source.packaged) || self.name in ['mnist', 'fashion-mnist']",
    message:
      'packaged (the default) is for mnist and fashion-mnist; set http, directory, persistentVolumeClaim or s3',
    fieldPath: '.source',
  },
);

export type Augmentation = z.output<typeof augmentation>;
export type Dataset = z.output<typeof dataset>;
export type DatasetSource = z.output<typeof datasetSource>;
