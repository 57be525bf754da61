import { existsSync } from 'node:fs';
import { datasetNames } from '@destillml/core/api/dataset.ts';
import { modelNames } from '@destillml/core/api/models.ts';
import { labelName } from '@destillml/core/api/names.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import { type Command, Option } from 'commander';
import { type SourceOptions, sourceFields, withSourceOptions } from '../dataset-source.ts';
import { dataOption, eagerOption, examples, plainOption, rootOption } from '../options.ts';
import { checkedSpec, type RecipeOptions, readDraft, withOptions, withRecipeOptions } from '../recipe.ts';
import { waitingAgain } from '../running/retry-failed.ts';
import { trainVersion, type VersionOptions, versionRun } from '../running/train-version.ts';
import { findVersion, freeName, versionFolder } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = VersionOptions &
  RecipeOptions &
  SourceOptions & {
    readonly dataset?: string;
    readonly model?: string;
    readonly name?: string;
    readonly from?: string;
    readonly continue?: string;
  };

export function addTrainCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('train')
    .summary('train one network, or go on with one')
    .description(
      'Train one network and keep it as a version: to look at, to go on with, or to distil from.\n\n' +
        'What no option says is as in --from FILE, else as in the original study.',
    )
    .addOption(new Option('--dataset <name>', `images: ${datasetNames.join(', ')}`))
    .addOption(new Option('--model <name>', `network: ${modelNames.join(', ')}`))
    .option('--name <version>', 'name of the version (default: DATASET-MODEL-N)')
    .option('--from <file>', 'YAML with dataset and training, such as an Experiment')
    .option('--continue <version>', 'go on with a version; more epochs with --epochs');
  withSourceOptions(withRecipeOptions(command))
    .addOption(rootOption())
    .addOption(dataOption())
    .addOption(plainOption())
    .addOption(eagerOption())
    .action((options: Options) =>
      trainVersion(
        options.continue === undefined ? newVersion(options) : continued(options.continue, options),
        options,
        surroundings,
      ),
    );
  examples(
    command,
    'destill train --dataset mnist --model resnet8 --epochs 5 --learning-rate 0.1',
    'destill train --model resnet20 --from study.yaml --name teacher',
    'destill train --continue teacher --epochs 10',
  );
}

function newVersion(options: Options): Run {
  const draft = options.from === undefined ? { dataset: {}, training: {} } : readDraft(options.from);
  const dataset = options.dataset ?? draft.dataset.name;
  if (options.model === undefined || dataset === undefined) {
    throw new DestillError(
      'InvalidSpec',
      'Which network on which images? Give --dataset and --model, or --continue VERSION. See destill train --help.',
    );
  }
  const named = { ...draft, dataset: { ...draft.dataset, name: dataset, ...sourceFields(options) } };
  const { model } = options;
  const seed = options.seed ?? 1;
  const spec = checkedSpec(withOptions(named, options), { model, seed });
  const { dataset: checked, training, teacher } = spec;
  if (teacher.model === undefined) throw new RangeError('the teacher was given a model');
  const name = newName(options.runs, options.name, `${checked.name}-${model}`);
  return versionRun(name, {
    role: 'teacher',
    stage: 'main',
    model: teacher.model,
    seed,
    dataset: checked,
    training,
  });
}

/** The name that was asked for, or the next that is free. */
export function newName(root: string, asked: string | undefined, wanted: string): string {
  if (asked === undefined) return freeName(root, wanted);
  const problem = labelName.safeParse(asked).error?.issues[0];
  if (problem) {
    throw new DestillError('InvalidSpec', `--name: ${asked} is not allowed; ${problem.message}.`);
  }
  if (existsSync(versionFolder(root, asked))) {
    throw new DestillError(
      'InvalidSpec',
      `--name: there is a version ${asked} already. Use another name, or go on with it: destill train --continue ${asked}`,
    );
  }
  return asked;
}

const notWithContinue = [
  'dataset',
  'model',
  'name',
  'from',
  'source',
  'sha256',
  'imageSize',
  'validation',
  'batchSize',
  'learningRate',
  'momentum',
  'weightDecay',
  'warmupEpochs',
  'labelSmoothing',
  'fraction',
  'seed',
] as const;

function continued(reference: string, options: Options): Run {
  const extra = notWithContinue.find((option) => options[option] !== undefined);
  if (extra !== undefined) {
    const flag = `--${extra.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new DestillError('InvalidSpec', `${flag}: not with --continue; a version goes on as it began.`);
  }
  const { run, experiment, handle } = findVersion(options.runs, reference);
  if (experiment !== undefined) {
    throw new DestillError(
      'InvalidSpec',
      `${handle} belongs to an Experiment: "destill run" goes on with it. Its epochs cannot be changed.`,
    );
  }
  const { parameters } = run.spec;
  const before = parameters.training.epochs;
  const epochs = options.epochs ?? before;
  const done = run.status?.progress?.epoch ?? 0;
  const isComplete = phaseOf(run) === 'Succeeded';
  if (epochs < before || (isComplete && epochs === before)) {
    const state = isComplete
      ? `has been trained for all of its ${before} epochs`
      : `is at epoch ${done} of ${before}`;
    throw new DestillError('InvalidSpec', `${handle} ${state}. Give --epochs with a number above ${before}.`);
  }
  const { training } = checkedSpec(
    { dataset: parameters.dataset, training: { ...parameters.training, epochs } },
    { model: parameters.model, seed: parameters.seed },
  );
  const again = waitingAgain(run);
  return { ...again, spec: { ...again.spec, suspend: false, parameters: { ...parameters, training } } };
}
