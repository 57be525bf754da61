import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type XYChartOptions = PanelOptions & {
  /** Name of the column along the horizontal axis; all other columns of numbers are drawn against it. */
  readonly x: string;
  readonly draw: 'points' | 'lines';
  /** What stands beside the axes: with its unit along the horizontal one, whose numbers Grafana 9.4 does not format. */
  readonly labels: { readonly x: string; readonly y: string };
  /** Colours by column; Grafana's own where it is not told. */
  readonly colors?: Readonly<Record<string, string>>;
};

/**
 * Values against another one.
 *
 * Which columns there are, Grafana sees: were they told, it would show nothing but an error as long as one of them has no
 * value. The options are those of Grafana 9.4; since 11.1 Grafana has others, and makes them of these where a panel says
 * no `pluginVersion`.
 */
export class XYChart extends Panel {
  readonly #own: XYChartOptions;

  constructor(options: XYChartOptions) {
    const colors = Object.entries(options.colors ?? {}).map(([field, fixedColor]) => ({
      field,
      properties: { color: { mode: 'fixed', fixedColor } },
    }));
    const axis = { field: options.x, properties: { unit: 'none', 'custom.axisLabel': options.labels.x } };
    super({ ...options, overrides: [...(options.overrides ?? []), ...colors, axis] });
    this.#own = options;
  }

  protected override kind(): Kind {
    const { x, draw, labels } = this.#own;
    return {
      type: 'xychart',
      options: {
        seriesMapping: 'auto',
        dims: { frame: 0, x },
        series: [],
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'single', sort: 'none' },
      },
      color: { mode: 'palette-classic' },
      custom: {
        show: draw === 'lines' ? 'points+lines' : 'points',
        pointSize: { fixed: draw === 'lines' ? 5 : 9, min: 1, max: 20 },
        lineWidth: 2,
        lineStyle: { fill: 'solid' },
        axisPlacement: 'auto',
        axisLabel: labels.y,
        scaleDistribution: { type: 'linear' },
      },
    };
  }
}
