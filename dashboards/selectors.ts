import type { DataLink } from './grafana/schema.ts';
import { datasourceVariable, queryVariable } from './grafana/variables.ts';

/** Series of the namespaces, Experiments and Runs that are chosen. */
export const chosen = {
  namespaces: 'namespace=~"$namespace"',
  experiments: 'namespace=~"$namespace", experiment=~"$experiment"',
  runs: 'namespace=~"$namespace", experiment=~"$experiment", run=~"$run"',
} as const;

const namespace = queryVariable({
  name: 'namespace',
  label: 'Namespace',
  description: 'Namespaces that have Experiments.',
  of: 'namespace',
  series: 'destillml_experiment_info',
});

const experiment = queryVariable({
  name: 'experiment',
  label: 'Experiment',
  description: 'Experiments of the namespaces that are chosen.',
  of: 'experiment',
  series: `destillml_experiment_info{${chosen.namespaces}}`,
});

const run = queryVariable({
  name: 'run',
  label: 'Run',
  description: 'Runs of the Experiments that are chosen.',
  of: 'run',
  series: `destillml_run_info{${chosen.experiments}}`,
  at: 'first',
});

/** Each offers what is left by those before. */
export const variables = {
  lab: [datasourceVariable, namespace],
  experiment: [datasourceVariable, namespace, experiment],
  run: [datasourceVariable, namespace, experiment, run],
} as const;

/** From a row with the labels namespace and experiment to its dashboard, at the same time. */
export const toExperiment: DataLink = {
  title: `The Experiment \${__data.fields.experiment}`,
  url: link('destillml-experiment', ['namespace', 'experiment']),
};

/** From a row with the labels namespace, experiment and run to its dashboard, at the same time. */
export const toRun: DataLink = {
  title: `The Run \${__data.fields.run}`,
  url: link('destillml-run', ['namespace', 'experiment', 'run']),
};

function link(uid: string, labels: readonly string[]): string {
  const choices = labels.map((label) => `var-${label}=\${__data.fields.${label}}`);
  return `/d/${uid}?${[`\${datasource:queryparam}`, ...choices, `\${__url_time_range}`].join('&')}`;
}
