import { phaseOf } from '@destillml/core/plan/phases.ts';
import type { Command } from 'commander';
import { Cluster, type ClusterOptions } from '../cluster/cluster.ts';
import { clusterOptions } from '../cluster/options.ts';
import { examples } from '../options.ts';
import type { Surroundings } from '../surroundings.ts';

export function addRetryCommand(program: Command, { stdout }: Surroundings): void {
  const command = clusterOptions(
    program
      .command('retry')
      .summary('train the failed Runs of an Experiment of a cluster again')
      .description(
        'Train the Runs of an Experiment in a cluster again that have failed: they are made anew, and go on from their ' +
          'last checkpoints. Mend first what "destill why" says of them. Whoever has the built-in role edit may.',
      )
      .argument('<experiment>', 'name of the Experiment: kubectl get dexp lists them'),
  ).action(async (experiment: string, options: ClusterOptions) => {
    const cluster = new Cluster(options);
    const runs = await cluster.runsOf(experiment);
    const failed = runs.filter((run) => phaseOf(run) === 'Failed');
    for (const run of failed) {
      await cluster.delete(run);
      stdout.write(`${run.metadata.name} is made anew\n`);
    }
    if (failed.length === 0) stdout.write(`no Run of ${experiment} has failed\n`);
  });
  examples(command, 'destill retry quickstart', 'destill retry quickstart --namespace vision');
}
