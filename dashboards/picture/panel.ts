import type { PanelJson } from '../grafana/schema.ts';
import { barChart } from './draw/bar-chart.ts';
import { heatmap } from './draw/heatmap.ts';
import { stat } from './draw/stat.ts';
import { stateTimeline } from './draw/state-timeline.ts';
import { table } from './draw/table.ts';
import { timeSeries } from './draw/time-series.ts';
import { xyChart } from './draw/xy-chart.ts';
import { isEmpty, type PanelData } from './panel-data.ts';
import type { Range } from './prometheus.ts';
import { type Area, placed, rectangle, text } from './svg.ts';
import { theme } from './theme.ts';

const head = 30;
const padding = 8;

/** A panel with its title and border, as the inside of an SVG. @throws RangeError for a kind that is not known here */
export function panelPicture(
  panel: PanelJson,
  data: PanelData,
  { width, height }: Area,
  range: Range,
): string {
  const inner = { width: width - 2 * padding, height: height - head - padding };
  const content = isEmpty(panel, data)
    ? text(panel.fieldConfig.defaults.noValue ?? 'No data', {
        x: inner.width / 2,
        y: inner.height / 2,
        size: 13,
        anchor: 'middle',
        fill: theme.faint,
      })
    : drawn(panel, data, inner, range);
  return [
    rectangle({ x: 0.5, y: 0.5, width: width - 1, height: height - 1 }, theme.panel, theme.border),
    text(panel.title, { x: padding + 2, y: 20, size: 13, bold: true, width: width - 20 }),
    placed(content, { x: padding, y: head, ...inner }),
  ].join('');
}

function drawn(panel: PanelJson, { series, frame }: PanelData, area: Area, range: Range): string {
  switch (panel.type) {
    case 'stat':
      return stat(panel, series, area);
    case 'timeseries':
      return timeSeries(panel, series, area, range);
    case 'table':
      return table(panel, frame, area);
    case 'xychart':
      return xyChart(panel, frame, area);
    case 'barchart':
      return barChart(panel, frame, area);
    case 'heatmap':
      return heatmap(panel, series, area, range);
    case 'state-timeline':
      return stateTimeline(panel, series, area, range);
    default:
      throw new RangeError(`panels of the kind ${panel.type} cannot be pictured`);
  }
}
