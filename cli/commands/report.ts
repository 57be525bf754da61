import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import type { Command } from 'commander';
import { examples, rootOption } from '../options.ts';
import { readSpecFile } from '../spec-file.ts';
import { experimentPath } from '../store/experiment-folder.ts';
import { findTeacher } from '../store/external-teacher.ts';
import { writeExperimentReport } from '../store/report.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = {
  readonly experiment?: string;
  readonly explanations?: string;
  readonly out?: string;
  readonly runs: string;
};

export function addReportCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('report')
    .summary('write the report of an Experiment')
    .description(
      'Write the report of an Experiment: one HTML file with tables, curves and pictures, that needs no network. ' +
        '"destill run" does so at its end.\n\n' +
        'Explanations are in it if spec.explain asked for them, or "destill explain" was told to put them into the ' +
        'folder. For a folder that was ' +
        'fetched from the storage of a cluster, --experiment names the Experiment that was applied.',
    )
    .argument('<experiment>', 'name of an Experiment, or folder with its Runs')
    .option('--experiment <file>', 'the Experiment, as YAML (default: experiment.yaml in the folder)')
    .option(
      '--explanations <dir>',
      'an explanation (default: explanations in the folder, or that of a Run, whichever is newer)',
    )
    .option('--out <file>', 'the report (default: report.html in the folder)')
    .addOption(rootOption())
    .action((path: string, options: Options) => report(path, options, surroundings));
  examples(
    command,
    'destill report quickstart',
    'destill explain quickstart/teacher quickstart/small/baseline \\\n' +
      '      --out destill-runs/quickstart/explanations && destill report quickstart',
    'destill report fetched/vision-lab/study --experiment study.yaml',
  );
}

function report(path: string, options: Options, { stdout, now }: Surroundings): void {
  const folder = existsSync(path) ? path : join(options.runs, path);
  if (!existsSync(folder)) {
    throw new DestillError('InvalidSpec', `There is no folder ${path}, and no Experiment in ${folder}.`);
  }
  const file = options.experiment ?? experimentPath(folder);
  if (!existsSync(file)) {
    const advice = 'Name the file of the Experiment with --experiment.';
    throw new DestillError('InvalidSpec', `${file} does not exist. ${advice}`);
  }
  const { experiment } = readSpecFile(file);
  const out = writeExperimentReport(experiment, folder, now(), {
    out: options.out,
    explanations: options.explanations,
    teacher: teacherBeside(experiment, folder),
  });
  stdout.write(`${out}\n`);
}

/** The teacher that the spec refers to, if it is on this machine: a report without it lacks its line. */
function teacherBeside(experiment: Experiment, folder: string): ExternalTeacher | undefined {
  try {
    return findTeacher(experiment, dirname(folder))?.teacher;
  } catch (error) {
    if (error instanceof DestillError && error.code === 'TeacherMissing') return undefined;
    throw error;
  }
}
