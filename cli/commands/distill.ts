import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { modelNames } from '@destillml/core/api/models.ts';
import type { Run, RunParameters } from '@destillml/core/api/run.ts';
import { nearest } from '@destillml/core/api/suggest.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import { type Command, InvalidArgumentError } from 'commander';
import { dataOption, eagerOption, examples, numeric, plainOption, rootOption } from '../options.ts';
import {
  checkedSpec,
  type Draft,
  type RecipeOptions,
  readDraft,
  withOptions,
  withRecipeOptions,
} from '../recipe.ts';
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
    readonly teacherFeature?: readonly string[];
    readonly from?: string;
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
        'Images and recipe are the teacher’s, without label smoothing, unless an option says otherwise. ' +
        'A teacher in an ONNX file has none: they come from --from FILE.\n' +
        `Techniques, each with an optional =WEIGHT: ${Object.keys(techniques).join(', ')}.`,
    )
    .requiredOption(
      '--teacher <version|file>',
      'the teacher: see destill versions; or a file that ends in .onnx',
    )
    .option('--teacher-feature <name...>', 'values of that file that are its features, first to last stage')
    .option('--from <file>', 'with such a file: YAML with dataset and training, such as an Experiment')
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
    'destill distill --teacher resnet50.onnx --from study.yaml --student resnet8 \\',
    '    --technique soft-targets',
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

/** The teacher, and the recipe that it brings. */
type Lesson = {
  readonly teacher: Pick<RunParameters, 'teacherRun' | 'teacherOnnx'>;
  readonly draft: Draft;
  readonly seed: number;
};

function newStudent(options: Options): Run {
  const { teacher, draft, seed } = options.teacher.endsWith('.onnx')
    ? lessonOfFile(options)
    : lessonOfVersion(options);
  const { training } = draft;
  const recipe = withOptions(
    { ...draft, training: { ...training, labelSmoothing: 0, schedule: scheduleFor(training, options) } },
    options,
  );
  const spec = checkedSpec(
    recipe,
    { model: options.student, seed, objective: objectiveOf(options) },
    { 'spec.teacher.model': '--student', 'spec.dataset.name': '--from' },
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
    ...teacher,
    objective,
  });
}

function lessonOfVersion({ runs, teacher, from, teacherFeature, seed }: Options): Lesson {
  const unfit = from === undefined ? teacherFeature && '--teacher-feature' : '--from';
  if (unfit !== undefined) {
    throw new DestillError('InvalidSpec', `${unfit}: only with a --teacher that ends in .onnx.`);
  }
  const { run, handle } = findVersion(runs, teacher);
  if (phaseOf(run) !== 'Succeeded') {
    throw new DestillError('TeacherMissing', `${handle} has not been trained to the end yet.`);
  }
  const { dataset, training, seed: ofTeacher } = run.spec.parameters;
  return {
    teacher: { teacherRun: run.metadata.name },
    draft: { dataset, training },
    seed: seed ?? ofTeacher,
  };
}

function lessonOfFile({ teacher, teacherFeature, from, seed = 1 }: Options): Lesson {
  if (from === undefined) {
    throw new DestillError(
      'InvalidSpec',
      `--from: missing; ${teacher} does not say on which images to distil. Give a YAML file with dataset and training.`,
    );
  }
  if (!existsSync(teacher)) {
    throw new DestillError('TeacherMissing', `--teacher: ${teacher} does not exist.`);
  }
  // "destill train --continue" may be called in another folder.
  const teacherOnnx = {
    file: { path: resolve(teacher) },
    ...(teacherFeature === undefined ? {} : { features: [...teacherFeature] }),
  };
  return { teacher: { teacherOnnx }, draft: readDraft(from), seed };
}

/** With other epochs than the teacher's the warm-up is chosen anew. */
function scheduleFor({ schedule }: Draft['training'], { epochs }: Options) {
  return epochs === undefined ? schedule : {};
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
