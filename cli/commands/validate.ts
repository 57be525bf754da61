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
      const { runs } = wantedRuns(experiment, []);
      const later = experiment.spec.scarcity ? ', and those of the scarcity stage' : '';
      stdout.write(`${file} is valid: Experiment ${experiment.metadata.name}, ${runs.length} Runs${later}\n`);
    });
  examples(command, 'destill validate study.yaml');
}
