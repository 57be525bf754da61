import type { Command } from 'commander';
import { Cluster, type ClusterOptions } from '../cluster/cluster.ts';
import { clusterOptions } from '../cluster/options.ts';
import { examples } from '../options.ts';
import type { Surroundings } from '../surroundings.ts';

const name = ['<experiment>', 'name of the Experiment: kubectl get dexp lists them'] as const;

export function addStopCommand(program: Command, { stdout }: Surroundings): void {
  const command = clusterOptions(
    program
      .command('stop')
      .summary('stop an Experiment of a cluster')
      .description(
        'Suspend an Experiment in a cluster: its Runs that train keep a checkpoint and give their GPUs back; with ' +
          '"destill start" they go on from there. Whoever has the built-in role edit may.',
      )
      .argument(...name),
  ).action(async (experiment: string, options: ClusterOptions) => {
    await new Cluster(options).suspend(experiment, true);
    stdout.write(`${experiment} stops; "destill start ${experiment}" goes on from the checkpoints\n`);
  });
  examples(command, 'destill stop quickstart', 'destill stop quickstart --namespace vision');
}

export function addStartCommand(program: Command, { stdout }: Surroundings): void {
  const command = clusterOptions(
    program
      .command('start')
      .summary('go on with an Experiment of a cluster')
      .description(
        'Go on with an Experiment in a cluster that was suspended, from the checkpoints of its Runs. Whoever has the ' +
          'built-in role edit may. A new one is started by kubectl apply.',
      )
      .argument(...name),
  ).action(async (experiment: string, options: ClusterOptions) => {
    await new Cluster(options).suspend(experiment, false);
    stdout.write(`${experiment} goes on; "destill queue" shows its Runs\n`);
  });
  examples(command, 'destill start quickstart', 'destill start quickstart --namespace vision');
}
