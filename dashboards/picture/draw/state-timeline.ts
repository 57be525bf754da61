import type { PanelJson } from '../../grafana/schema.ts';
import type { NamedSeries } from '../panel-data.ts';
import type { Range } from '../prometheus.ts';
import { type Area, rectangle, text } from '../svg.ts';
import { theme } from '../theme.ts';
import { timeAxis } from './heatmap.ts';
import { legend, legendHeight } from './legend.ts';

/** A bar for each series, coloured by the state it was in. */
export function stateTimeline(
  panel: PanelJson,
  series: readonly NamedSeries[],
  area: Area,
  range: Range,
): string {
  const states = (panel.fieldConfig.defaults.mappings ?? []).flatMap((mapping) =>
    mapping.type === 'value' ? Object.entries(mapping.options) : [],
  );
  const colors = new Map(states.map(([value, { color }]) => [Number(value), color ?? theme.faint]));
  const entries = states.map(([, { text: name = '', color = theme.faint }]) => ({ name, color }));
  const foot = legendHeight(entries, area);
  const bottom = area.height - foot - 22;
  const left = Math.min(area.width * 0.35, 260);
  const shown = series.slice(0, Math.max(1, Math.floor(bottom / 14)));
  const line = Math.min(26, bottom / shown.length);
  const place = (seconds: number) =>
    left + ((area.width - left - 8) * (seconds - range.start)) / (range.end - range.start);
  const bars = shown.flatMap(({ name, points }, index) => {
    const y = index * line;
    return [
      text(name, { x: left - 8, y: y + line / 2 + 4, size: 11, anchor: 'end', width: left - 12 }),
      ...points.map(([seconds, value]) =>
        rectangle(
          {
            x: place(seconds),
            y: y + 1,
            width: place(seconds + range.step) - place(seconds) + 0.5,
            height: line - 3,
          },
          colors.get(value) ?? theme.faint,
        ),
      ),
    ];
  });
  return (
    bars.join('') +
    timeAxis(range, { width: area.width - 8, height: bottom + 22 }, left) +
    legend(entries, { ...area, top: area.height - foot })
  );
}
