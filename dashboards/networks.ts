import { chosen } from './selectors.ts';

const { experiments } = chosen;

/** A network of an Experiment, as tables and legends name it. */
export const network = ['namespace', 'experiment', 'network'] as const;
export const byNetwork = network.join(', ');

/**
 * Series of the Experiments that are chosen with the label network: `teacher`, `small soft-targets`,
 * `scarcity small soft-targets`; `explanation`, of the Run that explains them. Trials of a search are no result, and left
 * out.
 *
 * @param matchers more of them, such as `split="test"`
 */
export function ofNetworks(metric: string, ...matchers: readonly string[]): string {
  const series = (arm: string) =>
    `${metric}{${[experiments, 'stage!="search"', ...matchers, arm].join(', ')}}`;
  const technique = [
    `label_replace(${series('arm!=""')}, "technique", "$1", "arm", "(.+)")`,
    `label_replace(${series('arm=""')}, "technique", "$1", "role", "(.+)")`,
  ].join(' or ');
  const stage = `label_replace(${technique}, "stage", "", "stage", "main|explanation")`;
  const joined = `label_join(${stage}, "network", " ", "stage", "student", "technique")`;
  return `label_replace(${joined}, "network", "$1", "network", " *(.+)")`;
}

/**
 * Series with the label name: these labels, such as `small soft-targets`, after the Experiment's where several are chosen.
 *
 * Grafana writes several names as `one,other`, which is the beginning of none of them, so that nothing is taken away.
 */
export function named(series: string, ...labels: readonly string[]): string {
  const all = ['experiment', ...labels].map((label) => `"${label}"`).join(', ');
  return `label_replace(label_join(${series}, "name", " ", ${all}), "name", "$1", "name", "\${experiment:csv} (.*)")`;
}
