/**
 * Names of the networks that can be trained, by family.
 *
 * The builders are in `trainer-image/models`; a test there checks that both lists agree.
 */
export const modelNames = [
  'resnet18',
  'resnet34',
  'resnet50',
  'resnet101',
  'resnet152',
  'resnet8',
  'resnet14',
  'resnet20',
  'resnet32',
  'resnet44',
  'resnet56',
  'resnet110',
  'resnet8x4',
  'resnet32x4',
  'wrn-16-1',
  'wrn-16-2',
  'wrn-40-1',
  'wrn-40-2',
  'vgg8',
  'vgg11',
  'vgg13',
  'vgg16',
  'vgg19',
  'vgg19-half',
  'mobilenet-v2',
] as const;

export type ModelName = (typeof modelNames)[number];
