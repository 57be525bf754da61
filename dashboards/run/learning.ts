import { Row } from '../grafana/row.ts';
import { TimeSeries } from '../grafana/time-series.ts';
import { customVariable } from '../grafana/variables.ts';
import { chosen } from '../selectors.ts';
import { byRun, runNamed } from './names.ts';

const { runs } = chosen;
/** Of one Run, or of several: Grafana tells them apart. */
export const anyColors = [] as const;

/** Over how long curves are averaged. */
export const smoothing = customVariable({
  name: 'smoothing',
  label: 'Smoothing',
  description: 'Loss and accuracy are means over that long before each moment.',
  values: [
    ['none', '1m'],
    ['5 minutes', '5m'],
    ['15 minutes', '15m'],
    ['1 hour', '1h'],
  ],
});

const smooth = (metric: string) => `avg_over_time(${metric}{${runs}}[$smoothing])`;

export const learning = new Row({
  title: 'Is it learning?',
  panels: [
    new TimeSeries({
      title: 'Loss by term',
      description:
        'Mean of the training objective over each epoch, and its terms. Terms that are not on a similar scale mean that one of them is not learned from.',
      unit: 'none',
      width: 8,
      noValue: 'not scraped',
      colors: anyColors,
      queries: [
        {
          expr: runNamed(`max by (${byRun}, term) (${smooth('destillml_trainer_loss')})`),
          legend: '{{term}} {{name}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Accuracy',
      description:
        'On the training images, and on the validation images. The distance between them is overfitting.',
      unit: 'percentunit',
      decimals: 1,
      max: 1,
      width: 8,
      noValue: 'not scraped',
      colors: anyColors,
      queries: [
        {
          expr: runNamed(`max by (${byRun}, split) (${smooth('destillml_trainer_accuracy')})`),
          legend: '{{split}} {{name}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Learning rate',
      description: 'Of the last step: a linear warm-up, then a cosine down to zero.',
      unit: 'none',
      width: 8,
      noValue: 'not scraped',
      colors: anyColors,
      min: 0,
      queries: [
        {
          expr: runNamed(`max by (${byRun}) (destillml_trainer_learning_rate{${runs}})`),
          legend: '{{name}}',
        },
      ],
    }),
  ],
});
