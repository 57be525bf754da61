import type { PanelJson } from '../../grafana/schema.ts';
import { colorsOf } from '../color.ts';
import { format } from '../format.ts';
import type { NamedSeries } from '../panel-data.ts';
import type { Range } from '../prometheus.ts';
import type { Area } from '../svg.ts';
import { theme } from '../theme.ts';
import { ticks } from './axis.ts';
import { axisLine, axisText, chart, gridLine } from './chart.ts';
import { type Entry, legend, legendHeight } from './legend.ts';

/** Lines or stacked areas over time, and what they are called. */
export function timeSeries(
  panel: PanelJson,
  series: readonly NamedSeries[],
  area: Area,
  range: Range,
): string {
  const { unit = 'short', decimals, min, max, custom, thresholds } = panel.fieldConfig.defaults;
  const colors = colorsOf(panel, series);
  const entries = series.map(({ name, points }, index): Entry => {
    const last = points.findLast(([, value]) => !Number.isNaN(value))?.[1];
    return {
      name,
      color: colors[index] ?? theme.text,
      ...(last === undefined ? {} : { value: format(last, unit, decimals) }),
    };
  });
  const foot = legendHeight(entries, area);
  const stacked = custom?.stacking?.mode === 'normal';
  const markLines = (thresholds?.steps ?? []).flatMap(({ value, color }) =>
    value === null
      ? []
      : [{ yAxis: value, lineStyle: { color, type: 'dashed' as const }, label: { show: false } }],
  );
  const drawn = chart(
    {
      useUTC: true,
      grid: { left: 8, right: 24, top: 8, bottom: 4, containLabel: true },
      xAxis: {
        type: 'time',
        min: range.start * 1000,
        max: range.end * 1000,
        splitNumber: Math.floor(area.width / 90),
        axisLabel: { ...axisText, hideOverlap: true },
        axisLine,
        splitLine: { show: false },
      },
      yAxis: {
        type: 'value',
        scale: !stacked,
        ...ticks(stacked ? [] : series.flatMap(({ points }) => points.map(([, value]) => value)), unit),
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        splitNumber: 4,
        axisLabel: { ...axisText, formatter: (value: number) => format(value, unit) },
        splitLine: gridLine,
      },
      series: series.map(({ points }, index) => ({
        type: 'line' as const,
        data: stacked ? onGrid(points, range) : withGaps(points, range.step),
        symbol: points.length === 1 ? 'circle' : 'none',
        symbolSize: 6,
        color: colors[index] ?? theme.text,
        lineStyle: { width: 2 },
        ...(stacked ? { stack: 'all', areaStyle: { opacity: 0.6 }, step: 'end' as const } : {}),
        ...(index === 0 ? { markLine: { silent: true, symbol: 'none', data: markLines } } : {}),
      })),
    },
    { width: area.width, height: area.height - foot },
  );
  return drawn + legend(entries, { ...area, top: area.height - foot });
}

/** A value for every step, so that stacks stand on each other. */
function onGrid(points: NamedSeries['points'], { start, end, step }: Range): [number, number][] {
  const known = new Map(points);
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => {
    const seconds = start + index * step;
    return [seconds * 1000, known.get(seconds) ?? 0];
  });
}

/** Nothing is drawn across steps for which there is no value. */
function withGaps(points: NamedSeries['points'], step: number): [number, number | null][] {
  return points.flatMap(([seconds, value], index): [number, number | null][] => {
    const before = points[index - 1]?.[0] ?? seconds;
    const point: [number, number | null] = [seconds * 1000, Number.isFinite(value) ? value : null];
    return seconds - before > step * 1.5 ? [[(before + step) * 1000, null], point] : [point];
  });
}
