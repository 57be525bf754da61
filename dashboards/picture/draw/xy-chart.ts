import { z } from 'zod';
import type { PanelJson } from '../../grafana/schema.ts';
import { overrideOf } from '../color.ts';
import { format } from '../format.ts';
import type { Frame } from '../frame.ts';
import type { Area } from '../svg.ts';
import { theme } from '../theme.ts';
import { axisLine, axisText, chart, gridLine } from './chart.ts';
import { legend, legendHeight } from './legend.ts';

const mapping = z.array(
  z.object({ x: z.string(), y: z.string(), pointColor: z.object({ fixed: z.string() }) }),
);

/** Points of one column against another. */
export function xyChart(panel: PanelJson, { rows }: Frame, area: Area): string {
  const series = mapping.parse(panel.options?.series);
  const { unit = 'short', decimals, min, max } = panel.fieldConfig.defaults;
  const x = series[0]?.x ?? '';
  const xUnit = overrideOf(panel, x, 'unit');
  const entries = series.map(({ y, pointColor }) => ({ name: y, color: pointColor.fixed }));
  const foot = legendHeight(entries, area);
  const drawn = chart(
    {
      grid: { left: 8, right: 20, top: 10, bottom: 22, containLabel: true },
      xAxis: {
        type: 'value',
        scale: true,
        name: x,
        nameLocation: 'middle',
        nameGap: 26,
        nameTextStyle: { color: theme.faint, fontFamily: theme.font },
        splitNumber: 4,
        axisLabel: {
          ...axisText,
          formatter: (value: number) => format(value, typeof xUnit === 'string' ? xUnit : 'short'),
        },
        axisLine,
        splitLine: gridLine,
      },
      yAxis: {
        type: 'value',
        scale: true,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        splitNumber: 4,
        axisLabel: { ...axisText, formatter: (value: number) => format(value, unit, decimals) },
        splitLine: gridLine,
      },
      series: series.map(({ y, pointColor }) => ({
        type: 'scatter' as const,
        symbolSize: 11,
        itemStyle: { color: pointColor.fixed, opacity: 0.9 },
        data: rows.flatMap((row) =>
          typeof row[x] === 'number' && typeof row[y] === 'number' ? [[row[x], row[y]]] : [],
        ),
      })),
    },
    { width: area.width, height: area.height - foot },
  );
  return drawn + legend(entries, { ...area, top: area.height - foot });
}
