import { DestillError } from '@destillml/core/errors.ts';
import { type Command, Option } from 'commander';
import { dataFolder, dataOption, examples, rootOption } from '../options.ts';
import { formatLoss } from '../progress/lines.ts';
import { namedLines, percent } from '../progress/result-lines.ts';
import { findVersion } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = { readonly split: 'test' | 'validation'; readonly runs: string; readonly data?: string };

export function addEvaluateCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('evaluate')
    .summary('measure a saved network')
    .description(
      'Measure a saved network: its weights with the best validation accuracy, on one split of its images.',
    )
    .argument('<version>', 'a name from destill versions, or the folder of a Run')
    .addOption(
      new Option('--split <name>', 'images to measure on').choices(['test', 'validation']).default('test'),
    )
    .addOption(rootOption())
    .addOption(dataOption())
    .action((reference: string, options: Options) => evaluateVersion(reference, options, surroundings));
  examples(
    command,
    'destill evaluate teacher',
    'destill evaluate quickstart/small/soft-targets --split validation',
  );
}

async function evaluateVersion(reference: string, options: Options, { stdout }: Surroundings): Promise<void> {
  const { folder, run, handle } = findVersion(options.runs, reference);
  if (run.status?.progress === undefined) {
    throw new DestillError('InvalidSpec', `${handle} has not been trained for an epoch yet.`);
  }
  // Only this command needs TensorFlow in its own process.
  const { evaluateCheckpoint } = await import('@destillml/trainer/training/evaluate-checkpoint.ts');
  const { defaultLoadDeps, load } = await import('@destillml/trainer/data/load.ts');
  const { dataset, training } = run.spec.parameters;
  const { images, loss, accuracy, accuracyTop5 } = await evaluateCheckpoint({
    artifacts: folder,
    dataset,
    data: await load(dataset, dataFolder(options.data), defaultLoadDeps),
    split: options.split,
    batch: training.batchSize,
  });
  stdout.write(
    namedLines([
      ['version', handle],
      ['split', `${options.split}, ${images.toLocaleString('en')} images`],
      ['loss', formatLoss(loss)],
      ['top-1 accuracy', percent(accuracy)],
      ['top-5 accuracy', percent(accuracyTop5)],
    ]),
  );
}
