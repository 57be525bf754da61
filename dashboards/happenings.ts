import { annotation } from './grafana/annotation.ts';
import { palette } from './grafana/palette.ts';

/** Starts, ends and preemptions of Runs, marked on everything with a time axis. @param where selects Runs */
export function happenings(where: string) {
  return [
    annotation({
      name: 'Starts',
      expr: `max by (namespace, experiment, run) (destillml_run_start_time_seconds{${where}}) * 1000`,
      title: '{{run}} started',
      color: palette.sky,
      when: 'at',
    }),
    annotation({
      name: 'Ends',
      expr: `max by (namespace, experiment, run) (destillml_run_completion_time_seconds{${where}}) * 1000`,
      title: '{{run}} ended',
      color: palette.green,
      when: 'at',
    }),
    annotation({
      name: 'Preemptions',
      expr: `sum by (namespace, experiment, run) (increase(destillml_run_preemptions_total{${where}}[2m])) > 0`,
      title: '{{run}} gave way to others',
      color: palette.orange,
      when: 'while',
    }),
  ];
}
