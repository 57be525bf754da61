import type { Command } from 'commander';
import { Cluster, type ClusterOptions } from '../cluster/cluster.ts';
import { clusterOptions } from '../cluster/options.ts';
import { queueTable } from '../cluster/queue.ts';
import { examples } from '../options.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = ClusterOptions & { readonly allNamespaces?: boolean };

export function addQueueCommand(program: Command, { stdout, now }: Surroundings): void {
  const command = clusterOptions(
    program
      .command('queue')
      .summary('who trains and who waits in a cluster')
      .description(
        'List the Runs of a cluster that train or wait, those first that have done so longest: for how long, how far ' +
          'they are, and why they wait. Whoever has the built-in role view may ask.',
      )
      .option('-A, --all-namespaces', 'those of all namespaces'),
  ).action(async ({ allNamespaces = false, ...options }: Options) => {
    stdout.write(queueTable(await new Cluster(options).runs(allNamespaces), now(), allNamespaces));
  });
  examples(
    command,
    'destill queue',
    'destill queue --all-namespaces',
    'destill queue --namespace vision --context lab',
  );
}
