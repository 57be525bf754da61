import { join, resolve } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import type { MethodName } from '@destillml/trainer/explain/explain.ts';
import type { ExplainedImage } from '@destillml/trainer/explain/subject.ts';
import { type Command, Option } from 'commander';
import { dataFolder, dataOption, examples, numeric, positiveInteger, rootOption } from '../options.ts';
import { findVersion, type Version } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';

const methods = ['gradCam', 'lime', 'shap'] as const satisfies readonly MethodName[];

type Options = {
  readonly images: number;
  readonly file?: readonly string[];
  readonly method: readonly MethodName[];
  readonly class: string;
  readonly stage?: number;
  readonly superpixels: 'slic' | 'quickshift';
  readonly faithfulness?: boolean;
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
        .choices(methods)
        .default(methods, methods.join(' ')),
    )
    .option(
      '--class <class>',
      'what is explained: "prediction", "label", or a class by name or number',
      'prediction',
    )
    .option(
      '--stage <n>',
      'stage that Grad-CAM looks at (default: the last of at least 8 × 8 cells)',
      positiveInteger,
    )
    .addOption(
      new Option('--superpixels <name>', 'how LIME and SHAP divide images')
        .choices(['slic', 'quickshift'])
        .default('slic'),
    )
    .option('--faithfulness', 'also measure insertion and deletion, against random maps')
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
  { stdout, stderr }: Surroundings,
): Promise<void> {
  const versions = references.map((reference) => findVersion(options.runs, reference));
  const [first] = versions;
  if (first === undefined) throw new RangeError('the command line asks for a version');
  // Only now TensorFlow is needed.
  const { explain } = await import('@destillml/trainer/explain/explain.ts');
  const { trainedNetwork } = await import('@destillml/trainer/explain/subject.ts');
  const { writeExplanations } = await import('@destillml/trainer/explain/artifacts.ts');
  const { explanationTable } = await import('../explanation-table.ts');

  const networks = versions.map(({ handle, folder }) => trainedNetwork(handle, folder));
  const size = networks[0]?.imageSize;
  const other = networks.find(({ imageSize }) => imageSize !== size);
  if (size === undefined || other !== undefined) {
    const sizes = `${first.handle} sees images of ${size} px, ${other?.name} of ${other?.imageSize} px`;
    throw new DestillError('InvalidSpec', `${sizes}: explain networks of one size together.`);
  }
  const { images, classes } = await imagesFor(first, size, options);
  const explained = await explain(
    networks,
    images,
    {
      methods: options.method,
      target: classOf(options.class, classes),
      segmentation: options.superpixels,
      seed: options.seed,
      ...(options.stage !== undefined && { stage: options.stage }),
      ...(options.faithfulness && { faithfulness: true }),
    },
    {
      progress: ({ network, map, done, total }) => {
        if (done % images.length === 0) stderr.write(`${network}: ${map}, ${done} of ${total} maps\n`);
      },
    },
  );
  const out = resolve(options.out);
  await writeExplanations(out, images, explained, classes);
  stdout.write(explanationTable(explained));
  stderr.write(`Pictures are in ${join(out, 'figures')}.\n`);
}

/** The images, and the names of the classes. */
async function imagesFor(
  { run }: Version,
  size: number,
  { file, images, seed, data }: Options,
): Promise<{ images: ExplainedImage[]; classes: readonly string[] }> {
  const { drawnImages, imagesInFiles } = await import('@destillml/trainer/explain/images.ts');
  const { defaultLoadDeps, load } = await import('@destillml/trainer/data/load.ts');
  const { classes, test } = await load(run.spec.parameters.dataset, dataFolder(data), defaultLoadDeps);
  return {
    images: file === undefined ? await drawnImages(test, images, seed) : await imagesInFiles(file, size),
    classes,
  };
}

function classOf(text: string, classes: readonly string[]): 'prediction' | 'label' | number {
  if (text === 'prediction' || text === 'label') return text;
  const index = classes.indexOf(text);
  if (index >= 0) return index;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(number) && number >= 0 && number < classes.length) return number;
  throw new DestillError(
    'InvalidSpec',
    `--class ${text}: the classes are ${classes.slice(0, 10).join(', ')}${classes.length > 10 ? ', …' : ''}; or prediction, or label.`,
  );
}
