import type { PanelJson } from '../../grafana/schema.ts';
import { thresholdColor } from '../color.ts';
import { format } from '../format.ts';
import type { NamedSeries } from '../panel-data.ts';
import { type Area, text, widthOf } from '../svg.ts';
import { theme } from '../theme.ts';

/** The last value of each series, side by side. */
export function stat(panel: PanelJson, series: readonly NamedSeries[], { width, height }: Area): string {
  const { unit = 'short', decimals, thresholds, mappings = [] } = panel.fieldConfig.defaults;
  const column = width / series.length;
  return series
    .map(({ name, points }, index) => {
      const value = points.at(-1)?.[1] ?? Number.NaN;
      const mapped = mappings.flatMap((mapping) =>
        mapping.type === 'value' ? [mapping.options[String(value)]] : [],
      );
      const shown = mapped[0]?.text ?? format(value, unit, decimals);
      const size = Math.max(6, Math.min(height * 0.5, 34, (column - 16) / Math.max(widthOf(shown, 1), 1)));
      const x = column * (index + 0.5);
      const color =
        mapped[0]?.color ?? (thresholds === undefined ? theme.text : thresholdColor(panel, value));
      const caption =
        series.length === 1
          ? ''
          : text(name, {
              x,
              y: height - 8,
              size: 11,
              anchor: 'middle',
              fill: theme.faint,
              width: column - 8,
            });
      return (
        text(shown, { x, y: height / 2 + size * 0.3, size, fill: color, bold: true, anchor: 'middle' }) +
        caption
      );
    })
    .join('');
}
