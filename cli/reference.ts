import type { Command } from 'commander';
import { createProgram } from './program.ts';

const introduction = `# destill

<!-- Generated from cli/ by \`node scripts/generate.ts\`. -->

\`destill\` runs Experiments on one machine, with the planner and the trainer that also work on a cluster, and trains,
distils, evaluates and lists single networks. Progress and notes go to stderr, results to stdout.

| exit code | meaning |
|---|---|
| 0 | succeeded |
| 1 | something failed; the message says what to do |
| 2 | the command line or a spec is wrong |
| 130 | stopped by Ctrl-C or SIGTERM; the same command goes on |

Everything is kept in \`destill-runs/\`:

\`\`\`
destill-runs/
  NAME/                    an Experiment
    experiment.yaml        as it was given
    results.json           the table, every Run behind it, trials of a sweep
    report.html            one page for people: tables, curves, pictures
    explanations/          what networks look at, if "destill explain" was told to put it here
    runs/RUN/              one trained network
      run.json             parameters and status
      history.jsonl        losses and accuracies of every epoch
      result.json          the result, and what it was computed with
      checkpoints/         last, the one before and best, in the safetensors format
      trainer.log          what the trainer had to say
  versions/VERSION/        a network of "destill train" or "destill distill", likewise
\`\`\`

Delete the folder of a Run, and \`destill run\` trains it anew.
`;

/** The page docs/cli.md: the help of every command. */
export function cliReference(): string {
  const program = createProgram(nowhere);
  const sections = [program, ...program.commands.filter((command) => command.name() !== 'help')].map(section);
  return `${introduction}\n${sections.join('\n')}`;
}

function section(command: Command): string {
  const name = command.parent ? `destill ${command.name()}` : 'destill';
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return `## ${name}\n\n\`\`\`\n${text.trimEnd()}\n\`\`\`\n`;
}

/** Commands are described, never carried out. */
const nowhere = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  terminal: { write: () => true },
  env: {},
  now: () => new Date(0),
  trainer: {
    start: () => {
      throw new Error('a reference page trains nothing');
    },
  },
  onInterrupt: () => () => undefined,
  after: () => () => undefined,
};
