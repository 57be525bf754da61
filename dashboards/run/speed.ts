import { palette } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { TimeSeries } from '../grafana/time-series.ts';
import { chosen } from '../selectors.ts';
import { anyColors } from './learning.ts';
import { byRun, runNamed } from './names.ts';

const { runs } = chosen;

/** Share of the time that a kind of work takes. */
const perSecond = (metric: string) => `sum by (${byRun}) (rate(${metric}{${runs}}[$__rate_interval]))`;
const kinds = ['step', 'data_wait', 'evaluation', 'checkpoint'] as const;
const named = {
  step: 'step',
  data_wait: 'data',
  evaluation: 'evaluation',
  checkpoint: 'checkpoint',
} as const;

export const speed = new Row({
  title: 'Is it fast, and what limits it?',
  panels: [
    new TimeSeries({
      title: 'Images per second',
      description: 'Training throughput, waits included.',
      unit: 'short',
      width: 8,
      noValue: 'not scraped',
      colors: anyColors,
      min: 0,
      queries: [{ expr: runNamed(perSecond('destillml_trainer_images_total')), legend: '{{name}}' }],
    }),
    new TimeSeries({
      title: 'Where the time goes',
      description:
        'Share of the time in steps, in waiting for images, in evaluation and in checkpoints, mean over the Runs that are chosen. Waiting for images is time that a GPU idles.',
      unit: 'percentunit',
      width: 8,
      draw: 'stacked',
      noValue: 'not scraped',
      min: 0,
      max: 1,
      colors: [
        [/step/, palette.blue],
        [/data/, palette.vermilion],
        [/evaluation/, palette.green],
        [/checkpoint/, palette.yellow],
      ],
      queries: kinds.map((kind) => ({
        expr: `avg(${perSecond(`destillml_trainer_${kind}_seconds_sum`)})`,
        legend: named[kind],
      })),
    }),
    new TimeSeries({
      title: 'Time of a step',
      description: 'Median and 99th percentile. Far apart: something disturbs it now and then.',
      unit: 's',
      width: 8,
      noValue: 'not scraped',
      colors: anyColors,
      min: 0,
      queries: [0.5, 0.99].map((quantile) => ({
        expr: runNamed(
          `histogram_quantile(${quantile}, sum by (${byRun}, le) (rate(destillml_trainer_step_seconds_bucket{${runs}}[$__rate_interval]))) >= 0`,
        ),
        legend: `p${quantile * 100} {{name}}`,
      })),
    }),
  ],
});
