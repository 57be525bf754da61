import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { examples } from '../options.ts';
import { resultTables } from '../result-tables.ts';
import { readResults, resultsPath } from '../store/experiment-folder.ts';
import type { Surroundings } from '../surroundings.ts';

export function addResultsCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('results')
    .summary('print the table of an Experiment again')
    .description('Print the results of an Experiment: also of one that is still running.')
    .argument('<path>', 'folder of the Experiment, or its results.json')
    .action((path: string) => {
      const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
      const document = readResults(isFolder ? resultsPath(path) : path);
      surroundings.stdout.write(resultTables(document, surroundings));
    });
  examples(command, 'destill results destill-runs/quickstart', 'destill results results.json');
}
