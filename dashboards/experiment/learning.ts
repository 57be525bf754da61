import { palette } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { XYChart } from '../grafana/xy-chart.ts';
import { named, ofNetworks } from '../networks.ts';
import { phaseTimeline } from '../phases.ts';
import { chosen } from '../selectors.ts';

const byEpoch = 'by (name, epoch)';
const accuracies = named(ofNetworks('destillml_run_epoch_accuracy'), 'network');
/** Of several seeds only: of one, the ends are the line itself. */
const several = `and on (name, epoch) count ${byEpoch} (${accuracies}) > 1`;
const end = (of: 'min' | 'max', name: string) =>
  `label_replace(${of} ${byEpoch} (${accuracies}) ${several}, "name", "$1 ${name}", "name", "(.*)")`;

/** Grafana calls the column of the rows by both names. */
const epoch = String.raw`epoch\name`;

export const learning = new Row({
  title: 'What is running, and is it learning?',
  panels: [
    new XYChart({
      title: 'Validation accuracy by epoch',
      description:
        'Mean over the seeds of each network after each epoch, whenever it trained; dashed the lowest and the highest seed. Trials of a search are on the Sweep dashboard; loss by epoch is in the report.',
      unit: 'percentunit',
      decimals: 0,
      width: 12,
      height: 10,
      noValue: 'no epoch yet',
      x: epoch,
      draw: 'lines',
      labels: { x: 'epoch', y: 'validation accuracy in %' },
      overrides: [
        {
          field: /(lowest|highest)$/,
          properties: {
            'custom.lineWidth': 1,
            'custom.lineStyle': { fill: 'dash', dash: [4, 6] },
            'custom.show': 'lines',
            color: { mode: 'fixed', fixedColor: palette.grey },
          },
        },
      ],
      queries: [
        {
          expr: `avg ${byEpoch} (${accuracies}) or ${end('min', 'lowest')} or ${end('max', 'highest')}`,
          legend: '{{name}}',
          instant: true,
          format: 'table',
        },
      ],
      transformations: [
        {
          id: 'convertFieldType',
          options: { fields: {}, conversions: [{ targetField: 'epoch', destinationType: 'number' }] },
        },
        { id: 'sortBy', options: { fields: {}, sort: [{ field: 'epoch' }] } },
        {
          id: 'groupingToMatrix',
          options: { columnField: 'name', rowField: 'epoch', valueField: 'Value', emptyValue: 'null' },
        },
        // The matrix makes texts of its rows.
        {
          id: 'convertFieldType',
          options: { fields: {}, conversions: [{ targetField: epoch, destinationType: 'number' }] },
        },
      ],
    }),
    phaseTimeline({
      where: chosen.experiments,
      width: 12,
      height: 10,
      rows: `group by (namespace, experiment, run, name) (${named(ofNetworks('destillml_run_info'), 'network', 'seed')})`,
    }),
  ],
});
