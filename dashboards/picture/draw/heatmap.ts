import type { PanelJson } from '../../grafana/schema.ts';
import { continuous } from '../color.ts';
import { format } from '../format.ts';
import type { NamedSeries } from '../panel-data.ts';
import type { Range } from '../prometheus.ts';
import { type Area, rectangle, text } from '../svg.ts';
import { theme } from '../theme.ts';

const margin = { left: 64, bottom: 22 };

/** How many fell into each bucket, from the counts of all up to it. */
export function heatmap(
  panel: PanelJson,
  series: readonly NamedSeries[],
  { width, height }: Area,
  range: Range,
): string {
  const unit = String(panel.options?.yAxis?.unit ?? 'short');
  const buckets = series
    .map(({ labels, points }) => ({ bound: bound(labels.le ?? '+Inf'), points: new Map(points) }))
    .sort((one, other) => one.bound - other.bound);
  const times = [...new Set(series.flatMap(({ points }) => points.map(([seconds]) => seconds)))].sort(
    (a, b) => a - b,
  );
  const counts = buckets.map(({ points }, index) =>
    times.map((seconds) =>
      Math.max(0, (points.get(seconds) ?? 0) - (buckets[index - 1]?.points.get(seconds) ?? 0)),
    ),
  );
  const most = Math.max(...counts.flat());
  const cell = {
    width: ((width - margin.left - 8) * range.step) / (range.end - range.start),
    height: (height - margin.bottom) / buckets.length,
  };
  const left = (seconds: number) =>
    margin.left + ((width - margin.left - 8) * (seconds - range.start)) / (range.end - range.start);
  const cells = counts.flatMap((row, index) =>
    row.flatMap((count, at) =>
      count < 1e-9
        ? []
        : [
            rectangle(
              {
                x: left(times[at] ?? 0),
                y: height - margin.bottom - (index + 1) * cell.height,
                width: Math.max(1, cell.width),
                height: cell.height - 1,
              },
              continuous(Math.sqrt(count / most)),
            ),
          ],
    ),
  );
  const everyOther = Math.ceil(14 / cell.height);
  const names = buckets.flatMap(({ bound: upper }, index) =>
    index % everyOther === 0
      ? [
          text(format(upper, unit), {
            x: margin.left - 6,
            y: height - margin.bottom - (index + 0.5) * cell.height + 4,
            size: 11,
            anchor: 'end',
            fill: theme.faint,
          }),
        ]
      : [],
  );
  return cells.join('') + names.join('') + timeAxis(range, { width: width - 8, height }, margin.left);
}

/** The time, below. */
export function timeAxis({ start, end }: Range, { width, height }: Area, left: number): string {
  const marks = Math.max(2, Math.floor((width - left) / 110));
  return Array.from({ length: marks }, (_, mark) => {
    const share = (mark + 0.5) / marks;
    const time = new Date((start + (end - start) * share) * 1000).toISOString();
    return text(end - start > 86_400 ? time.slice(5, 10) : time.slice(11, 16), {
      x: left + (width - left) * share,
      y: height - 6,
      size: 11,
      anchor: 'middle',
      fill: theme.faint,
    });
  }).join('');
}

function bound(le: string): number {
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
}
