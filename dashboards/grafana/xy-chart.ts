import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type XYChartOptions = PanelOptions & {
  /** Name of the column along the horizontal axis. */
  readonly x: string;
  /** Names of columns that are drawn against it, each in its colour. */
  readonly y: readonly { readonly column: string; readonly color: string }[];
};

/**
 * Points of one value against another.
 *
 * The options are those of Grafana 9.4; since 11.1 Grafana has others, and makes them of these where a panel says no
 * `pluginVersion`.
 */
export class XYChart extends Panel {
  readonly #own: XYChartOptions;

  constructor(options: XYChartOptions) {
    super(options);
    this.#own = options;
  }

  protected override kind(): Kind {
    const { x, y } = this.#own;
    return {
      type: 'xychart',
      options: {
        seriesMapping: 'manual',
        dims: { frame: 0 },
        series: y.map(({ column, color }) => ({ ...series(column, color), x, ...firstFrame })),
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'single', sort: 'none' },
      },
      custom: {
        show: 'points',
        pointSize: { fixed: 9, min: 1, max: 20 },
        axisPlacement: 'auto',
        scaleDistribution: { type: 'linear' },
      },
    };
  }
}

/** Read by the migration to 11.1 alone, which would look for each series in another frame. */
const firstFrame = { frame: 0 } as const;

function series(column: string, color: string) {
  return { y: column, name: column, pointColor: { fixed: color }, pointSize: { fixed: 9, min: 1, max: 20 } };
}
