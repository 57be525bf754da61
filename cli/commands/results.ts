import { statSync } from 'node:fs';
import type { Results } from '@destillml/core/results/document.ts';
import { type Command, Option } from 'commander';
import { Cluster, type ClusterOptions } from '../cluster/cluster.ts';
import { clusterOptions } from '../cluster/options.ts';
import { clusterResults } from '../cluster/results.ts';
import { examples, tableWidth } from '../options.ts';
import { resultTables } from '../result-tables.ts';
import { readResults, resultsPath } from '../store/experiment-folder.ts';
import type { Surroundings } from '../surroundings.ts';
import { trialsCsv } from '../trials-csv.ts';
import { trialsTable } from '../trials-table.ts';

type Options = ClusterOptions & { readonly trials?: true; readonly csv?: true; readonly json?: true };

export function addResultsCommand(program: Command, surroundings: Surroundings): void {
  const command = clusterOptions(program.command('results'))
    .summary('print the table of an Experiment again')
    .description(
      'Print the results of an Experiment: also of one that is still running. With --namespace, --context or ' +
        '--kubeconfig it is one of a cluster, by name.\n\n' +
        'With --trials what its sweep tried: a table for each study, the best trial first, by the best validation ' +
        'accuracy that each reported. A trial is named by its number; epochs are those it was trained of those in ' +
        'all. One that is Paused did not go on, as others of its rung were better; one that Failed counts for ' +
        'nothing. That of a trial is the accuracy of one seed, and the highest of many is high by luck, too: what ' +
        'the best configurations come to with every seed is in the table without --trials.',
    )
    .argument('<path>', 'folder of the Experiment, or its results.json; or its name in a cluster')
    .option('--trials', 'the trials of its sweep')
    .addOption(
      new Option('--csv', 'trials as CSV: a line each, all studies, values by path')
        .implies({ trials: true })
        .conflicts('json'),
    )
    .addOption(
      new Option('--json', 'trials as JSON, with rungs and history, as in results.json').implies({
        trials: true,
      }),
    )
    .action(async (path: string, options: Options) => {
      const document = asksCluster(options)
        ? await clusterResults(new Cluster(options), path, surroundings.now())
        : read(path);
      surroundings.stdout.write(written(document, options, surroundings));
    });
  examples(
    command,
    'destill results destill-runs/quickstart',
    'destill results results.json',
    'destill results destill-runs/sweep --trials',
    'destill results destill-runs/sweep --csv > trials.csv',
    'destill results quickstart --namespace vision',
  );
}

function asksCluster({ namespace, context, kubeconfig }: Options): boolean {
  return [namespace, context, kubeconfig].some((option) => option !== undefined);
}

function read(path: string): Results {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return readResults(isFolder ? resultsPath(path) : path);
}

function written(document: Results, options: Options, surroundings: Surroundings): string {
  const { trials, experiment } = document;
  if (options.csv) return trialsCsv(trials);
  if (options.json) return `${JSON.stringify(trials, undefined, 2)}\n`;
  if (!options.trials) return resultTables(document, surroundings);
  if (trials.length === 0) return `no trials: ${experiment} has no spec.sweep, or it has not begun\n`;
  return trialsTable(trials, tableWidth(surroundings));
}
