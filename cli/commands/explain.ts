import { join, resolve } from 'node:path';
import type { Dataset } from '@destillml/core/api/dataset.ts';
import { type ExplanationMethod, explanationMethods } from '@destillml/core/api/explain.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { shown } from '@destillml/core/text/shown.ts';
import type { ExplainProgress } from '@destillml/trainer/explain/explain.ts';
import type { ExplainedImage, ExplainedNetwork } from '@destillml/trainer/explain/subject.ts';
import { type Command, Option } from 'commander';
import { dataFolder, dataOption, examples, numeric, positiveInteger, rootOption } from '../options.ts';
import { findVersion } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = {
  readonly images: number;
  readonly file?: readonly string[];
  readonly method: readonly ExplanationMethod[];
  readonly class: string;
  readonly stage?: number;
  readonly superpixels: 'slic' | 'quickshift';
  readonly faithfulness?: boolean;
  readonly sanity?: boolean;
  readonly seed: number;
  readonly out: string;
  readonly runs: string;
  readonly data?: string;
};

export function addExplainCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('explain')
    .summary('show what saved networks look at')
    .description(
      'Show what saved networks look at: a picture for each image, with a row for each network and a column for each ' +
        'method, and how alike the maps are to those of the first network. Put the teacher first.',
    )
    .argument('<versions...>', 'names from destill versions, or folders of Runs')
    .option('--images <n>', 'test images, of every class alike, that --seed draws', positiveInteger, 16)
    .option('--file <path...>', 'image files to explain instead')
    .addOption(
      new Option('--method <name...>', 'ways to explain')
        .choices(explanationMethods)
        .default(explanationMethods, explanationMethods.join(' ')),
    )
    .option(
      '--class <class>',
      'what is explained: "prediction", "label", or a class by name or number',
      'prediction',
    )
    .option(
      '--stage <n>',
      'stage that Grad-CAM looks at (default: the last of at least 7 × 7 cells)',
      positiveInteger,
    )
    .addOption(
      new Option('--superpixels <name>', 'how LIME and SHAP divide images')
        .choices(['slic', 'quickshift'])
        .default('slic'),
    )
    .option('--faithfulness', 'also measure insertion and deletion, against random maps')
    .option('--sanity', 'also check that random weights of the first network give other maps')
    .option('--seed <n>', 'seed of the images and of what methods draw', numeric, 1)
    .option('--out <dir>', 'folder for figures/, maps/ and explanations.json', 'explanations')
    .addOption(rootOption())
    .addOption(dataOption())
    .action((references: string[], options: Options) => explainVersions(references, options, surroundings));
  examples(
    command,
    'destill explain quickstart/teacher quickstart/small/attention',
    'destill explain teacher --file cat.jpg --class cat --method gradCam lime',
  );
}

async function explainVersions(
  references: readonly string[],
  options: Options,
  surroundings: Surroundings,
): Promise<void> {
  const { stdout, stderr } = surroundings;
  const versions = references.map((reference) => findVersion(options.runs, reference));
  const [first] = versions;
  if (first === undefined) throw new RangeError('the command line asks for a version');
  // Only now TensorFlow is needed.
  const { explain } = await import('@destillml/trainer/explain/explain.ts');
  const { sanityOf } = await import('@destillml/trainer/explain/sanity.ts');
  const { trainedNetwork } = await import('@destillml/trainer/artifacts/trained-network.ts');
  const { writeExplanations } = await import('@destillml/trainer/explain/artifacts.ts');
  const { explanationTable } = await import('../explanation-table.ts');

  const networks = versions.map(({ handle, folder }) => ({ name: handle, ...trainedNetwork(folder) }));
  const size = sharedSize(networks);
  const { dataset } = first.run.spec.parameters;
  const { images, classes } = await imagesFor(dataset, size, options, surroundings);
  const asked = {
    methods: options.method,
    target: classOf(options.class, classes),
    segmentation: options.superpixels,
    seed: options.seed,
    ...(options.stage !== undefined && { stage: options.stage }),
    ...(options.faithfulness && { faithfulness: true }),
  };
  const deps = {
    progress: ({ network, work, done, total }: ExplainProgress) => {
      if (done % images.length === 0) stderr.write(`${network}: ${work}, ${done} of ${total}\n`);
    },
  };
  const began = performance.now();
  const explained = await explain(networks, images, asked, deps);
  const [network] = networks;
  const [own] = explained;
  const sanity = options.sanity && network && own ? await sanityOf(network, own, images, asked, deps) : {};
  const out = resolve(options.out);
  const seconds = (performance.now() - began) / 1000;
  await writeExplanations(out, images, explained, { classes, seconds, sanity });
  stdout.write(explanationTable(explained));
  stderr.write(`Pictures are in ${join(out, 'figures')}.\n`);
}

/** Side of the images of all networks, which have to be comparable. Pixels. */
function sharedSize(networks: readonly ExplainedNetwork[]): number {
  const [first, ...others] = networks;
  if (first === undefined) throw new RangeError('the command line asks for a version');
  for (const other of others) {
    if (other.imageSize !== first.imageSize) {
      const sizes = `${first.name} sees images of ${first.imageSize} px, ${other.name} of ${other.imageSize} px`;
      throw new DestillError('InvalidSpec', `${sizes}: explain networks of one size together.`);
    }
    if (other.classes !== first.classes) {
      const known = `${first.name} knows ${first.classes} classes, ${other.name} ${other.classes}`;
      throw new DestillError('InvalidSpec', `${known}: explain networks of the same classes together.`);
    }
  }
  return first.imageSize;
}

interface Asked {
  readonly images: ExplainedImage[];
  /** Names by class; none where they are not known. */
  readonly classes: readonly string[];
}

async function imagesFor(
  dataset: Dataset,
  size: number,
  { file, images, seed, data }: Options,
  { stderr }: Surroundings,
): Promise<Asked> {
  const { drawnImages, imagesInFiles } = await import('@destillml/trainer/explain/images.ts');
  const { defaultLoadDeps, load } = await import('@destillml/trainer/data/load.ts');
  const loading = load(dataset, dataFolder(data), defaultLoadDeps);
  if (file === undefined) {
    const { classes, test } = await loading;
    return { images: await drawnImages(test, images, seed), classes };
  }
  const classes = await loading.then(
    (loaded) => loaded.classes,
    (error: unknown) => {
      // Files are explained without the data set, which may be where only pods can read it.
      if (!(error instanceof DestillError)) throw error;
      stderr.write(`Class names are not known: ${error.message}\n`);
      return [];
    },
  );
  return { images: await imagesInFiles(file, size), classes };
}

function classOf(text: string, classes: readonly string[]): 'prediction' | 'label' | number {
  if (text === 'prediction' || text === 'label') return text;
  const index = classes.indexOf(shown(text));
  if (index >= 0) return index;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  const isUnknown = classes.length === 0;
  if (Number.isInteger(number) && number >= 0 && (isUnknown || number < classes.length)) return number;
  const named = `the classes are ${classes.slice(0, 10).join(', ')}${classes.length > 10 ? ', …' : ''}`;
  const allowed = isUnknown ? 'a number, because class names are not known' : named;
  throw new DestillError('InvalidSpec', `--class ${text}: ${allowed}; or prediction, or label.`);
}
