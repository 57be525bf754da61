import { datasetNames } from '@destillml/core/api/dataset.ts';
import { formatCount } from '@destillml/core/results/format.ts';
import { wrap } from '@destillml/core/text/wrap.ts';
import { imageBytes, type LoadedDataset } from '@destillml/trainer/data/dataset.ts';
import type { DatasetDescription } from '@destillml/trainer/data/describe.ts';
import type { Progress } from '@destillml/trainer/data/download.ts';
import { writeAtomic } from '@destillml/trainer/storage/atomic.ts';
import type { Command } from 'commander';
import { type SourceOptions, sourceFields, withSourceOptions } from '../dataset-source.ts';
import { dataFolder, dataOption, examples, numeric } from '../options.ts';
import { namedLines } from '../progress/result-lines.ts';
import { checkedSpec, readDraft, withOptions } from '../recipe.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = SourceOptions & {
  readonly data?: string;
  readonly from?: string;
  readonly fraction?: number;
  readonly out?: string;
  readonly augment?: string;
  readonly seed?: number;
};

/** Images of each class on a contact sheet. */
const imagesPerClass = 8;
/** Classes on a contact sheet. */
const classesShown = 100;
/** Rows of a sheet of augmented images. */
const augmentedRows = 10;
/** Augmented versions beside each of its images. */
const versionsShown = 9;
/** The study's augmentation, shown where no file says otherwise. */
const studyAugmentation = {
  horizontalFlip: 0.5,
  crop: { padding: 4 },
  colorJitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  rotation: 15,
  resizedCrop: {},
};

export function addDatasetCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('dataset')
    .summary('get, check and look at a data set')
    .description(
      'Get a data set (download or import it), check every image of it, and describe it: splits, classes, sizes.',
    )
    .argument('<name>', datasetNames.join(', '));
  withSourceOptions(command)
    .option('--fraction <x>', 'share of the training images that is used', numeric)
    .option('--from <file>', 'YAML with a dataset, such as an Experiment')
    .option('--out <png>', 'write a contact sheet: images of every class')
    .option('--augment <png>', 'write a sheet of augmented images (as in --from, else as in the study)')
    .option('--seed <n>', 'seed of the augmentation (default: 1)', numeric)
    .addOption(dataOption())
    .action((name: string, options: Options) => lookAt(name, options, surroundings));
  examples(
    command,
    'destill dataset fashion-mnist --out classes.png --augment augmented.png',
    'destill dataset cifar100 --source cifar-100-binary.tar.gz',
    'destill dataset image-folder --source photos/ --image-size 64 --validation 100',
  );
}

async function lookAt(name: string, options: Options, { stdout, stderr }: Surroundings): Promise<void> {
  const draft = options.from === undefined ? { dataset: {}, training: {} } : readDraft(options.from);
  const fields = { augmentation: studyAugmentation, ...draft.dataset, name, ...sourceFields(options) };
  const given = withOptions(
    { ...draft, dataset: fields },
    { ...(options.fraction && { fraction: options.fraction }) },
  );
  const seed = options.seed ?? 1;
  const { dataset } = checkedSpec(given, { model: 'resnet8', seed }, { 'spec.dataset.name': 'name' });

  const { defaultLoadDeps, load } = await import('@destillml/trainer/data/load.ts');
  const { describeDataset } = await import('@destillml/trainer/data/describe.ts');
  const { splitTrain } = await import('@destillml/trainer/data/splits.ts');
  const onProgress = progressLines((text) => stderr.write(text));
  const loaded = await load(dataset, dataFolder(options.data), { ...defaultLoadDeps, onProgress });
  const split = splitTrain(loaded.train, dataset);
  stdout.write(description(await describeDataset(loaded, split)));

  if (options.out !== undefined) {
    const { contactSheet } = await import('@destillml/trainer/data/contact-sheet.ts');
    const sheet = await contactSheet(loaded.train, { perClass: imagesPerClass, classes: classesShown });
    writeAtomic(options.out, [sheet]);
    stderr.write(`contact sheet: ${options.out}\n`);
  }
  if (options.augment !== undefined) {
    const { augmentationSheet } = await import('@destillml/trainer/data/augmentation-sheet.ts');
    const { augmentation } = dataset;
    const { size } = loaded.train;
    const sheet = await augmentationSheet(await firstOfEachClass(loaded), {
      augmentation,
      size,
      seed,
      versions: versionsShown,
    });
    writeAtomic(options.augment, [sheet]);
    stderr.write(`augmented images: ${options.augment}\n`);
  }
}

/** The first training image of the first classes. */
async function firstOfEachClass({ train, classes }: LoadedDataset) {
  const rows = classes
    .slice(0, augmentedRows)
    .map((name, label) => ({ name, index: train.labels.indexOf(label) }));
  return Promise.all(
    rows.map(async ({ name, index }) => {
      const image = new Uint8Array(imageBytes(train.size));
      await train.read([index], image);
      return { name, index, image };
    }),
  );
}

function description(found: DatasetDescription): string {
  const { name, origin, imageSize, classes, splits, channelMean, channelDeviation, notes } = found;
  const shares = (values: readonly number[]) => values.map((value) => value.toFixed(3)).join(', ');
  const facts = namedLines([
    ['data set', name],
    ['from', origin],
    ['images', `${imageSize} × ${imageSize} px, ${classes.length} classes`],
    ...splits.map(
      ({ name: split, images, perClass }) =>
        [split, `${formatted(images)} images, ${range(perClass)} of each class`] as const,
    ),
    ['mean (R, G, B)', shares(channelMean)],
    ['deviation', shares(channelDeviation)],
  ]);
  const remarks = notes.map((note) => `${wrap(note)}\n`).join('');
  return `${facts}\n${remarks}\n${wrap(`classes: ${classes.join(', ')}`)}\n`;
}

function range(counts: readonly number[]): string {
  const smallest = Math.min(...counts);
  const largest = Math.max(...counts);
  return smallest === largest ? formatted(smallest) : `${formatted(smallest)} to ${formatted(largest)}`;
}

function formatted(count: number): string {
  return count.toLocaleString('en');
}

/** A line whenever a step begins or another tenth of it is done. */
function progressLines(write: (text: string) => void): (progress: Progress) => void {
  let last = '';
  return ({ step, what, done, total }) => {
    const tenths = total === undefined || total === 0 ? undefined : Math.floor((10 * done) / total);
    const key = `${step} ${what} ${tenths ?? ''}`;
    if (key === last) return;
    last = key;
    const unit = step === 'download' ? ` of ${formatCount(total ?? done)}B` : '';
    write(`${step}: ${what}${tenths === undefined ? '' : ` ${tenths * 10} %${unit}`}\n`);
  };
}
