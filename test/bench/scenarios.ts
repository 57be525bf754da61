/** What is measured. The Python peers read the same names from their command line. */
export interface Scenario {
  readonly student: 'resnet20' | 'resnet18';
  readonly batch: number;
  /** Attention transfer from this teacher in inference mode. */
  readonly teacher?: 'resnet56';
  /** Real images with the study's augmentations, instead of one batch over and over. */
  readonly endToEnd?: boolean;
}

export const scenarios = {
  step: { student: 'resnet20', batch: 128 },
  'end-to-end': { student: 'resnet20', batch: 128, endToEnd: true },
  'step-resnet18': { student: 'resnet18', batch: 64 },
  'end-to-end-resnet18': { student: 'resnet18', batch: 64, endToEnd: true },
  distilled: { student: 'resnet20', batch: 128, teacher: 'resnet56' },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export const classes = 10;
export const imageSize = 32;

/** The study's augmentations (design: dataset.augmentation). */
export const augmentation = {
  horizontalFlip: 0.5,
  crop: { padding: 4 },
  colorJitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  rotation: 15,
  resizedCrop: { scale: [0.8, 1], ratio: [0.9, 1.1] },
};
