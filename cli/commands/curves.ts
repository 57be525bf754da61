import type { Command } from 'commander';
import { Cluster, type ClusterOptions } from '../cluster/cluster.ts';
import { curvesTable } from '../cluster/curves.ts';
import { clusterOptions } from '../cluster/options.ts';
import { examples } from '../options.ts';
import type { Surroundings } from '../surroundings.ts';

export function addCurvesCommand(program: Command, { stdout }: Surroundings): void {
  const command = clusterOptions(
    program
      .command('curves')
      .summary('learning curves of an Experiment of a cluster')
      .description(
        'Show the validation accuracy of the Runs of an Experiment in a cluster by epoch, as far as they have come: a ' +
          'bar for some epochs each, on one scale for all. Of a search the ten best trials. Whoever has the built-in ' +
          'role view may ask.',
      )
      .argument('<experiment>', 'name of the Experiment: kubectl get dexp lists them'),
  ).action(async (experiment: string, options: ClusterOptions) => {
    stdout.write(curvesTable(await new Cluster(options).runsOf(experiment)));
  });
  examples(command, 'destill curves quickstart', 'destill curves quickstart --namespace vision');
}
