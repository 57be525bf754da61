import type { DataLink } from './grafana/schema.ts';
import { datasourceVariable, everyVariable, newestVariable } from './grafana/variables.ts';

/** Series of the namespaces, Experiments and Runs that are chosen. */
export const chosen = {
  namespaces: 'namespace=~"$namespace"',
  experiments: 'namespace=~"$namespace", experiment=~"$experiment"',
  runs: 'namespace=~"$namespace", experiment=~"$experiment", run=~"$run"',
} as const;

const namespace = everyVariable({
  name: 'namespace',
  label: 'Namespace',
  description: 'Namespaces that have Experiments.',
  of: 'namespace',
  series: 'destillml_experiment_info',
});

const experiment = newestVariable({
  name: 'experiment',
  label: 'Experiment',
  description: 'Experiments of the namespaces that are chosen, the newest first.',
  of: 'experiment',
  moments: [`destillml_experiment_created_time_seconds{${chosen.namespaces}}`],
});

const searched = newestVariable({
  name: 'experiment',
  label: 'Experiment',
  description: 'Experiments that search for hyperparameters, the newest first.',
  of: 'experiment',
  moments: [`destillml_experiment_created_time_seconds{${chosen.namespaces}}`],
  among: `destillml_study_runs{${chosen.namespaces}}`,
});

const run = newestVariable({
  name: 'run',
  label: 'Run',
  description: 'Runs of the Experiments that are chosen, those that started last first.',
  of: 'run',
  moments: [
    `destillml_run_start_time_seconds{${chosen.experiments}}`,
    `destillml_run_created_time_seconds{${chosen.experiments}}`,
  ],
  // An explanation learns nothing; who wants to look at one is led here from the Experiment.
  among: `destillml_run_info{${chosen.experiments}, role!="explanation"}`,
});

/** Each offers what is left by those before. */
export const variables = {
  lab: [datasourceVariable, namespace],
  experiment: [datasourceVariable, namespace, experiment],
  sweep: [datasourceVariable, namespace, searched],
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
