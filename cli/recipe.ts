import { isObject } from '@destillml/core/api/defaults.ts';
import type { ExperimentSpec } from '@destillml/core/api/experiment.ts';
import { parseExperiment, validateExperiment } from '@destillml/core/api/validate.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Command } from 'commander';
import { numeric } from './options.ts';
import { indent, readYamlFile } from './spec-file.ts';

/** Options that describe images and training, as `destill train` and `destill distill` take them. */
export type RecipeOptions = {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly warmupEpochs?: number;
  readonly labelSmoothing?: number;
  readonly fraction?: number;
  readonly seed?: number;
};

/** Parts of a spec before they are checked. */
export type Draft = { readonly dataset: Fields; readonly training: Fields };
type Fields = Readonly<Record<string, unknown>>;

/** Warm-up of a training that does not say: the study's, but no more than this share of the epochs. */
const warmupEpochs = 5;
const warmupShare = 0.25;

/** Adds the options of a recipe. */
export function withRecipeOptions(command: Command): Command {
  return command
    .option('--epochs <n>', 'passes over the training images', numeric)
    .option('--batch-size <n>', 'images per step', numeric)
    .option('--learning-rate <x>', 'peak learning rate', numeric)
    .option('--momentum <x>', 'momentum of SGD', numeric)
    .option('--weight-decay <x>', 'weight decay', numeric)
    .option('--warmup-epochs <x>', 'epochs of linear warm-up (default: 5, at most a quarter)', numeric)
    .option('--label-smoothing <x>', 'label smoothing', numeric)
    .option('--fraction <x>', 'share of the training images that is used', numeric)
    .option('--seed <n>', 'seed of initial weights, order and augmentation (default: 1)', numeric);
}

/** `dataset` and `training` of a YAML file that has them, such as an Experiment. */
export function readDraft(file: string): Draft {
  const content = readYamlFile(file);
  const fields = isObject(content) && isObject(content.spec) ? content.spec : content;
  if (!isObject(fields) || (!isObject(fields.dataset) && !isObject(fields.training))) {
    throw new DestillError('InvalidSpec', `${file} has neither dataset nor training, as an Experiment has.`);
  }
  return { dataset: asFields(fields.dataset), training: asFields(fields.training) };
}

/** The draft with what the options say in its place. */
export function withOptions({ dataset, training }: Draft, options: RecipeOptions): Draft {
  const { epochs, batchSize, learningRate, momentum, weightDecay, labelSmoothing, fraction } = options;
  const schedule = asFields(training.schedule);
  const total = epochs ?? training.epochs;
  const warmup =
    options.warmupEpochs ??
    schedule.warmupEpochs ??
    (typeof total === 'number' && total > 0 ? Math.min(warmupEpochs, warmupShare * total) : undefined);
  return {
    dataset: { ...dataset, ...set({ fraction }) },
    training: {
      ...training,
      ...set({ epochs, batchSize, labelSmoothing }),
      optimizer: { ...asFields(training.optimizer), ...set({ learningRate, momentum, weightDecay }) },
      schedule: { ...schedule, ...set({ warmupEpochs: warmup }) },
    },
  };
}

/**
 * The parts of a spec that a single network needs, checked and with their defaults.
 *
 * @param ownOptions options of the command, by field, that differ from those of other commands.
 * @throws DestillError `InvalidSpec` that names options instead of fields where there is one.
 */
export function checkedSpec(
  draft: Draft,
  network: { readonly model: string; readonly seed: number; readonly objective?: Fields },
  ownOptions: Readonly<Record<string, string>> = {},
): ExperimentSpec {
  const input = {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'version' },
    spec: {
      ...draft,
      teacher: { model: network.model },
      students: [{ name: 'student', model: network.model }],
      seeds: [network.seed],
      ...(network.objective ? { distillation: [{ name: 'distilled', ...network.objective }] } : {}),
    },
  };
  const problems = validateExperiment(input)
    .filter(({ field }) => !field.startsWith('spec.students'))
    .map(({ field, message }) => `${ownOptions[field] ?? optionsByField[field] ?? field}: ${message}`);
  if (problems.length > 0) {
    throw new DestillError('InvalidSpec', `these options do not fit:\n${indent(problems.join('\n'))}`);
  }
  return parseExperiment(input).spec;
}

const optionsByField: Readonly<Record<string, string>> = {
  'spec.dataset.name': '--dataset',
  'spec.dataset.source': '--source',
  'spec.dataset.source.http.url': '--source',
  'spec.dataset.source.http.sha256': '--sha256',
  'spec.dataset.fraction': '--fraction',
  'spec.dataset.imageSize': '--image-size',
  'spec.dataset.validation': '--validation',
  'spec.training.epochs': '--epochs',
  'spec.training.batchSize': '--batch-size',
  'spec.training.optimizer.learningRate': '--learning-rate',
  'spec.training.optimizer.momentum': '--momentum',
  'spec.training.optimizer.weightDecay': '--weight-decay',
  'spec.training.schedule.warmupEpochs': '--warmup-epochs',
  'spec.training.labelSmoothing': '--label-smoothing',
  'spec.seeds[0]': '--seed',
  'spec.teacher.model': '--model',
  'spec.distillation[0].softTargets.temperature': '--temperature',
  'spec.distillation[0].softTargets.weight': '--technique soft-targets',
  'spec.distillation[0].similarityPreserving.weight': '--technique similarity-preserving',
  'spec.distillation[0].attentionTransfer.weight': '--technique attention-transfer',
  'spec.distillation[0].hints.weight': '--technique hints',
  'spec.distillation[0].hints.stage': '--hint-stage',
};

function asFields(value: unknown): Fields {
  return isObject(value) ? value : {};
}

/** Without what is undefined, which would hide a value given elsewhere. */
function set(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
