import { shownOutput } from '@destillml/core/text/shown-output.ts';
import { Command } from 'commander';
import { addCurvesCommand } from './commands/curves.ts';
import { addDatasetCommand } from './commands/dataset.ts';
import { addDistillCommand } from './commands/distill.ts';
import { addEvaluateCommand } from './commands/evaluate.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addExportCommand } from './commands/export.ts';
import { addQueueCommand } from './commands/queue.ts';
import { addReportCommand } from './commands/report.ts';
import { addResultsCommand } from './commands/results.ts';
import { addRetryCommand } from './commands/retry.ts';
import { addRunCommand } from './commands/run.ts';
import { addStartCommand, addStopCommand } from './commands/stop-start.ts';
import { addTrainCommand } from './commands/train.ts';
import { addValidateCommand } from './commands/validate.ts';
import { addVersionsCommand } from './commands/versions.ts';
import { addWhyCommand } from './commands/why.ts';
import { examples } from './options.ts';
import packageFile from './package.json' with { type: 'json' };
import type { Output, Surroundings } from './surroundings.ts';

/** Columns of help texts: they are part of the documentation, so the same everywhere. */
const helpWidth = 80;

/** The command line: `destill COMMAND`. It throws where it would end the process. */
export function createProgram(given: Surroundings): Command {
  const stdout = shownAlone(given.stdout);
  const stderr = shownAlone(given.stderr);
  const surroundings: Surroundings = { ...given, stdout, stderr };
  const program = new Command('destill')
    .description(
      'Knowledge distillation on this machine: train a teacher, baselines and distilled students, and see what ' +
        'distillation gains.',
    )
    .version(packageFile.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('See destill --help.');
  examples(program, 'destill run examples/quickstart.yaml', 'destill versions', 'destill run --help');
  addRunCommand(program, surroundings);
  addValidateCommand(program, surroundings);
  addResultsCommand(program, surroundings);
  addReportCommand(program, surroundings);
  addTrainCommand(program, surroundings);
  addDistillCommand(program, surroundings);
  addVersionsCommand(program, surroundings);
  addEvaluateCommand(program, surroundings);
  addExplainCommand(program, surroundings);
  addExportCommand(program, surroundings);
  addDatasetCommand(program, surroundings);
  addQueueCommand(program, surroundings);
  addWhyCommand(program, surroundings);
  addCurvesCommand(program, surroundings);
  addStopCommand(program, surroundings);
  addStartCommand(program, surroundings);
  addRetryCommand(program, surroundings);
  for (const command of program.commands) command.showHelpAfterError(`See destill ${command.name()} --help.`);
  return program;
}

/** The output, which is sent nothing but what a terminal may show. */
function shownAlone(output: Output): Output {
  return {
    ...shownOutput(output),
    isTTY: output.isTTY,
    get columns() {
      return output.columns;
    },
  };
}
