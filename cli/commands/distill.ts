import { modelNames } from '@destillml/core/api/models.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { nearest } from '@destillml/core/api/suggest.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import { type Command, InvalidArgumentError } from 'commander';
import { dataOption, eagerOption, examples, numeric, plainOption, rootOption } from '../options.ts';
import { checkedSpec, type RecipeOptions, withOptions, withRecipeOptions } from '../recipe.ts';
import { trainVersion, type VersionOptions, versionRun } from '../running/train-version.ts';
import { findVersion } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';
import { newName } from './train.ts';

/** Techniques as they are written on a command line, and their fields in a spec. */
const techniques = {
  'soft-targets': 'softTargets',
  'similarity-preserving': 'similarityPreserving',
  'attention-transfer': 'attentionTransfer',
  hints: 'hints',
} as const;

type TechniqueName = keyof typeof techniques;
type Technique = { readonly name: TechniqueName; readonly weight?: number };

type Options = VersionOptions &
  RecipeOptions & {
    readonly teacher: string;
    readonly student: string;
    readonly technique: readonly Technique[];
    readonly temperature?: number;
    readonly hintStage?: number;
    readonly name?: string;
  };

export function addDistillCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('distill')
    .summary('distil a saved network into a smaller one')
    .description(
      'Distil a saved network, the teacher, into a smaller one, the student, and keep it as a version.\n\n' +
        'Images and recipe are the teacher’s, without label smoothing, unless an option says otherwise.\n' +
        `Techniques, each with an optional =WEIGHT: ${Object.keys(techniques).join(', ')}.`,
    )
    .requiredOption('--teacher <version>', 'the teacher: see destill versions')
    .requiredOption('--student <model>', `network of the student: ${modelNames.join(', ')}`)
    .requiredOption(
      '--technique <name[=weight]>',
      'what is transferred; may be given several times',
      technique,
    )
    .option('--temperature <t>', 'temperature of soft-targets', numeric)
    .option('--hint-stage <n>', 'stage that hints compares, from 1', numeric)
    .option('--name <version>', 'name of the version (default: DATASET-STUDENT-TECHNIQUES-N)');
  withRecipeOptions(command)
    .addOption(rootOption())
    .addOption(dataOption())
    .addOption(plainOption())
    .addOption(eagerOption())
    .action((options: Options) => trainVersion(newStudent(options), options, surroundings));
  examples(
    command,
    'destill distill --teacher teacher --student resnet8 --technique soft-targets',
    'destill distill --teacher quickstart/teacher --student resnet8 \\',
    '    --technique attention-transfer=1000 --technique soft-targets',
  );
}

/** Reads `attention-transfer=1000`; commander hands over what was given before. */
function technique(text: string, before: readonly Technique[] = []): readonly Technique[] {
  const [name = '', weight, ...rest] = text.split('=');
  if (!(name in techniques) || rest.length > 0) {
    const known = Object.keys(techniques);
    const meant = nearest(name, known);
    throw new InvalidArgumentError(meant ? `Did you mean ${meant}?` : `Known are ${known.join(', ')}.`);
  }
  if (before.some((other) => other.name === name)) throw new InvalidArgumentError(`${name} is given twice.`);
  const found = name as TechniqueName;
  return [...before, { name: found, ...(weight === undefined ? {} : { weight: numeric(weight) }) }];
}

function newStudent(options: Options): Run {
  const teacher = findVersion(options.runs, options.teacher);
  if (phaseOf(teacher.run) !== 'Succeeded') {
    throw new DestillError('TeacherMissing', `${teacher.handle} has not been trained to the end yet.`);
  }
  const { dataset, training } = teacher.run.spec.parameters;
  const recipe = withOptions(
    { dataset, training: { ...training, labelSmoothing: 0, schedule: scheduleFor(training, options) } },
    options,
  );
  const seed = options.seed ?? teacher.run.spec.parameters.seed;
  const spec = checkedSpec(
    recipe,
    { model: options.student, seed, objective: objectiveOf(options) },
    { 'spec.teacher.model': '--student' },
  );
  const [arm] = spec.distillation;
  const { model } = spec.teacher;
  if (arm === undefined || model === undefined) throw new RangeError('the spec lost its arm or its model');
  const { name: _name, ...objective } = arm;
  const how = options.technique.map(({ name }) => name).join('-');
  const name = newName(options.runs, options.name, `${spec.dataset.name}-${model}-${how}`);
  return versionRun(name, {
    role: 'distilled',
    stage: 'main',
    arm: how.slice(0, 63),
    student: model,
    model,
    seed,
    dataset: spec.dataset,
    training: spec.training,
    teacherRun: teacher.run.metadata.name,
    objective,
  });
}

/** With other epochs than the teacher's the warm-up is chosen anew. */
function scheduleFor(training: Run['spec']['parameters']['training'], { epochs }: Options) {
  return epochs === undefined ? training.schedule : {};
}

function objectiveOf({ technique: given, temperature, hintStage }: Options) {
  const names = given.map(({ name }) => name);
  requires(temperature, '--temperature', 'soft-targets', names);
  requires(hintStage, '--hint-stage', 'hints', names);
  return Object.fromEntries(
    given.map(({ name, weight }) => [
      techniques[name],
      {
        ...(weight === undefined ? {} : { weight }),
        ...(name === 'soft-targets' && temperature !== undefined ? { temperature } : {}),
        ...(name === 'hints' && hintStage !== undefined ? { stage: hintStage } : {}),
      },
    ]),
  );
}

function requires(
  value: number | undefined,
  option: string,
  needed: TechniqueName,
  names: readonly TechniqueName[],
): void {
  if (value === undefined || names.includes(needed)) return;
  throw new DestillError('InvalidSpec', `${option}: only with --technique ${needed}.`);
}
