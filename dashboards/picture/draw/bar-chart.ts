import type { PanelJson } from '../../grafana/schema.ts';
import { format } from '../format.ts';
import type { Frame } from '../frame.ts';
import { type Area, widthOf } from '../svg.ts';
import { theme } from '../theme.ts';
import { ticks } from './axis.ts';
import { axisText, chart, gridLine } from './chart.ts';

/** A bar for each row, from the left. */
export function barChart(panel: PanelJson, { columns, rows }: Frame, area: Area): string {
  const { unit = 'short', decimals, color, min } = panel.fieldConfig.defaults;
  const x = String(panel.options?.xField);
  const y =
    columns.find((column) => column !== x && rows.some((row) => typeof row[column] === 'number')) ?? '';
  const names = rows.map((row) => String(row[x] ?? ''));
  const left = Math.min(area.width / 3, Math.max(...names.map((name) => widthOf(name, 11))) + 16);
  return chart(
    {
      grid: { left, right: 64, top: 4, bottom: 24 },
      yAxis: {
        type: 'category',
        inverse: true,
        data: names,
        axisLabel: { ...axisText, color: theme.text, width: left - 12, overflow: 'truncate' },
        axisTick: { show: false },
      },
      xAxis: {
        type: 'value',
        ...(min === undefined ? {} : { min }),
        splitNumber: 4,
        ...ticks(
          rows.map((row) => Number(row[y])),
          unit,
        ),
        axisLabel: { ...axisText, formatter: (value: number) => format(value, unit) },
        splitLine: gridLine,
      },
      series: [
        {
          type: 'bar',
          barMaxWidth: 26,
          itemStyle: { color: color?.fixedColor ?? theme.text },
          data: rows.map((row) => Number(row[y])),
          label: {
            show: true,
            position: 'right',
            color: theme.text,
            formatter: ({ value }) => format(Number(value), unit, decimals),
          },
        },
      ],
    },
    area,
  );
}
