import { dirname, join, resolve } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import { validateUpdate } from '@destillml/core/api/validate.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { outcomeOf, phaseOf } from '@destillml/core/plan/phases.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import { wrap } from '@destillml/core/text/wrap.ts';
import type { Command } from 'commander';
import { ExitError, exitCodes } from '../exit.ts';
import { dataOption, defaultRoot, eagerOption, examples, plainOption, positiveInteger } from '../options.ts';
import { labelsOf } from '../progress/label.ts';
import { resultTables } from '../result-tables.ts';
import {
  type ExperimentOptions,
  type TrainedExperiment,
  trainExperiment,
} from '../running/train-experiment.ts';
import { indent, readSpecFile, type SpecFile } from '../spec-file.ts';
import {
  experimentPath,
  hasExperiment,
  readResults,
  resultsPath,
  runFolder,
  writeExperiment,
} from '../store/experiment-folder.ts';
import { findTeacher } from '../store/external-teacher.ts';
import { takeLock } from '../store/lock.ts';
import { writeExperimentReport } from '../store/report.ts';
import { runFiles } from '../store/run-folder.ts';
import { versionsName } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = ExperimentOptions & { readonly output?: string; readonly parallelism?: number };

export function addRunCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('run')
    .summary('run an Experiment on this machine')
    .description(
      'Run an Experiment on this machine: train its teacher, baselines and distilled students, each in a process of ' +
        'its own, and print what distillation gained.\n\n' +
        'After Ctrl-C, a crash or new arms, students or seeds in FILE the same command goes on where it was.',
    )
    .argument('<file>', 'the Experiment, as YAML')
    .option('--output <dir>', `folder of this Experiment (default: "${defaultRoot}/<name>")`)
    .addOption(dataOption())
    .option('--parallelism <n>', 'Runs that train at the same time (default: as in FILE)', positiveInteger)
    .option('--retry-failed', 'train Runs again that failed or were skipped; checkpoints are kept')
    .addOption(plainOption())
    .addOption(eagerOption())
    .action((file: string, options: Options) => run(file, options, surroundings));
  examples(
    command,
    'destill run examples/quickstart.yaml',
    'destill run study.yaml --parallelism 2 --output /data/study',
    'destill run study.yaml --plain 2> progress.log > table.txt',
  );
}

async function run(file: string, options: Options, surroundings: Surroundings): Promise<void> {
  const spec = readSpecFile(file);
  const folder = options.output ?? join(defaultRoot, spec.experiment.metadata.name);
  if (resolve(folder) === resolve(defaultRoot, versionsName)) {
    throw new DestillError(
      'InvalidSpec',
      `metadata.name: ${versionsName} is the folder of "destill train". Use another name or --output.`,
    );
  }
  const teacher = findTeacher(spec.experiment, dirname(folder));
  const giveBack = takeLock(folder);
  try {
    refuseOtherScience(folder, file, spec);
    writeExperiment(folder, spec.text);
    const experiment = withOptions(spec.experiment, options);
    const trained = await trainExperiment(experiment, folder, teacher, options, surroundings);
    conclude(trained, { file, folder, teacher: teacher?.teacher }, surroundings);
  } finally {
    giveBack();
  }
}

/** What a command was given. */
interface Given {
  readonly file: string;
  readonly folder: string;
  readonly teacher: ExternalTeacher | undefined;
}

function conclude(trained: TrainedExperiment, given: Given, surroundings: Surroundings): void {
  const { outcome, experiment, message } = trained;
  const { folder } = given;
  const { stdout, stderr } = surroundings;
  const say = (text: string) => stderr.write(`${wrap(text)}\n`);
  switch (outcome) {
    case 'interrupted':
      say('stopped; run the same command to go on');
      throw new ExitError(exitCodes.interrupted);
    case 'stuck':
      break;
    case 'Complete':
    case 'Failed':
      stdout.write(resultTables(readResults(resultsPath(folder)), surroundings));
      say([...failures(trained, given), `results: ${resultsPath(folder)}`].join('\n'));
      say(report(experiment, given, surroundings.now()));
  }
  if (outcome === 'Complete') return;
  say(`Experiment ${experiment.metadata.name} is not complete: ${message}`);
  throw new ExitError(exitCodes.failed);
}

/** Which Runs failed and what to do about it; empty where none did. */
function failures({ experiment, runs }: TrainedExperiment, { file, folder }: Given): readonly string[] {
  const label = labelsOf(experiment);
  const failed = runs.filter((run) => phaseOf(run) === 'Failed');
  const lines = failed.flatMap((run) => [
    `${label(run)}: ${outcomeOf(run)}`,
    `  log: ${join(runFolder(folder, run.metadata.name), runFiles.log)}`,
  ]);
  const remedy = failed.length > 0 ? [`when the cause is mended: destill run ${file} --retry-failed`] : [];
  return [...lines, ...remedy];
}

/** Writes the report. @returns where it is, or why it is not: what was trained counts without it */
function report(experiment: Experiment, { folder, teacher }: Given, now: Date): string {
  try {
    return `report: ${writeExperimentReport(experiment, folder, now, { teacher })}`;
  } catch (error) {
    if (!isMendable(error)) throw error;
    return `the report was not written: ${error.message}\n  when that is mended: destill report ${folder}`;
  }
}

/** A damaged file, a full disk: no mistake of this program. */
function isMendable(error: unknown): error is Error {
  return error instanceof DestillError || (error instanceof Error && 'syscall' in error);
}

function withOptions(experiment: Experiment, { parallelism }: Options): Experiment {
  return parallelism === undefined
    ? experiment
    : { ...experiment, spec: { ...experiment.spec, parallelism } };
}

/** A folder goes on with the Experiment it was begun with, or with more of the same. */
function refuseOtherScience(folder: string, file: string, { experiment }: SpecFile): void {
  if (!hasExperiment(folder)) return;
  const before = readSpecFile(experimentPath(folder)).experiment;
  const problems = validateUpdate(before, experiment).map(({ field, message }) => `${field}: ${message}`);
  if (before.metadata.name !== experiment.metadata.name) {
    problems.unshift(`metadata.name: it was ${before.metadata.name}, now ${experiment.metadata.name}`);
  }
  if (problems.length === 0) return;
  throw new DestillError(
    'InvalidSpec',
    `${file} is not the Experiment that ${folder} was begun with:\n${indent(problems.join('\n'))}\n` +
      'Choose another metadata.name or --output, or take the change back.',
  );
}
