import type { Command } from 'commander';
import { Cluster, type ClusterOptions } from '../cluster/cluster.ts';
import { clusterOptions } from '../cluster/options.ts';
import { whyText } from '../cluster/why.ts';
import { examples } from '../options.ts';
import type { Surroundings } from '../surroundings.ts';

export function addWhyCommand(program: Command, { stdout, now }: Surroundings): void {
  const command = clusterOptions(
    program
      .command('why')
      .summary('why a Run of a cluster does not go on')
      .description(
        'Say all that is known of why a Run in a cluster waits, failed, or does not get on: what it waits for (its ' +
          'teacher, its turn, a GPU), what its attempts came to, what Kubernetes warns of, and the next command to ' +
          'type. Whoever has the built-in role view may ask.',
      )
      .argument('<run>', 'name of the Run: kubectl get drun lists them'),
  ).action(async (name: string, options: ClusterOptions) => {
    const cluster = new Cluster(options);
    const run = await cluster.run(name);
    const { experiment } = run.spec;
    const own = await cluster.runsOf(experiment);
    const teacher = await cluster.foreignTeacher(own);
    const pods = (run.status?.pods ?? []).map((pod) => pod.name);
    const warnings = await Promise.all([name, ...pods].map((each) => cluster.warnings(each)));
    const text = whyText({
      run,
      experiment: await cluster.experiment(experiment),
      runs: teacher === undefined ? own : [...own, teacher],
      warnings: warnings.flat().map(({ reason, message }) => `${reason}: ${message}`),
      now: now(),
    });
    stdout.write(`${text}\n`);
  });
  examples(
    command,
    'destill why quickstart-teacher-s1-73fc400328',
    'destill why big-baseline-s1 --namespace vision',
  );
}
