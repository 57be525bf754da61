import { wantedRuns } from '@destillml/core/plan/wanted.ts';
import type { Command } from 'commander';
import { examples } from '../options.ts';
import { readSpecFile } from '../spec-file.ts';
import type { Surroundings } from '../surroundings.ts';

export function addValidateCommand(program: Command, { stdout }: Surroundings): void {
  const command = program
    .command('validate')
    .summary('check an Experiment without running it')
    .description('Check an Experiment and print every problem: the field, its value and what is allowed.')
    .argument('<file>', 'the Experiment, as YAML')
    .action((file: string) => {
      const { experiment } = readSpecFile(file);
      const { runs, studies } = wantedRuns(experiment, []);
      const later = [
        ...searches(studies.length, experiment.spec.sweep?.maxRuns),
        ...(experiment.spec.scarcity ? ['those of the scarcity stage'] : []),
      ].map((what) => `, and ${what}`);
      const { name } = experiment.metadata;
      stdout.write(`${file} is valid: Experiment ${name}, ${runs.length} Runs${later.join('')}\n`);
    });
  examples(command, 'destill validate study.yaml');
}

function searches(studies: number, maxRuns: number | undefined): readonly string[] {
  if (maxRuns === undefined) return [];
  const where = studies === 1 ? 'in a study' : `in each of ${studies} studies`;
  return [`at most ${maxRuns} ${where}, with those that train what was found`];
}
