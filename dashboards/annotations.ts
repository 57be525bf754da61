import { annotation } from './grafana/annotation.ts';
import { palette } from './grafana/palette.ts';

/**
 * Preemptions of what is chosen, marked on everything with a time axis for whoever asks for them: not at first, as many
 * would fence off the charts. When Runs start and end, their phases show.
 *
 * @param where selects Runs
 */
export function preemptions(where: string) {
  return annotation({
    name: 'Preemptions',
    expr: `sum by (namespace, experiment, run) (increase(destillml_run_preemptions_total{${where}}[2m])) > 0`,
    title: '{{run}} gave way to others',
    color: palette.orange,
  });
}
