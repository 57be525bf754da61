import { seriesColors } from './palette.ts';
import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type TimeSeriesOptions = PanelOptions & {
  /** How series are drawn; lines unless it is told. */
  readonly draw?: 'lines' | 'stacked';
  /** Colours by name of the series, or a pattern of names; those of roles and techniques unless they are told. */
  readonly colors?: readonly (readonly [name: string | RegExp, color: string])[];
};

/** Values over time. */
export class TimeSeries extends Panel {
  readonly #own: TimeSeriesOptions;

  constructor(options: TimeSeriesOptions) {
    const colors =
      options.colors ?? seriesColors.map(([pattern, color]) => [new RegExp(pattern), color] as const);
    const overrides = colors.map(([field, color]) => ({
      field,
      properties: { color: { mode: 'fixed', fixedColor: color } },
    }));
    // Areas that do not begin at zero would not be to scale.
    const least = options.draw === 'stacked' ? { min: 0 } : {};
    super({ ...least, ...options, overrides: [...overrides, ...(options.overrides ?? [])] });
    this.#own = options;
  }

  protected override kind(): Kind {
    const { draw = 'lines', thresholds } = this.#own;
    return {
      type: 'timeseries',
      options: {
        // A table below would leave a third of the panel for the graph.
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
      color: { mode: 'palette-classic' },
      custom: {
        drawStyle: 'line',
        lineInterpolation: draw === 'stacked' ? 'stepAfter' : 'linear',
        lineWidth: 2,
        fillOpacity: draw === 'stacked' ? 60 : 0,
        pointSize: 5,
        showPoints: 'auto',
        spanNulls: false,
        stacking: { mode: draw === 'stacked' ? 'normal' : 'none', group: 'A' },
        axisPlacement: 'auto',
        scaleDistribution: { type: 'linear' },
        thresholdsStyle: { mode: thresholds === undefined ? 'off' : 'dashed' },
      },
    };
  }
}
