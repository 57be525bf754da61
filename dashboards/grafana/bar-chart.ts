import { palette } from './palette.ts';
import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type BarChartOptions = PanelOptions & {
  /** Name of the column whose texts stand below the bars. */
  readonly x: string;
};

/** One bar for each row of a table. */
export class BarChart extends Panel {
  readonly #own: BarChartOptions;

  constructor(options: BarChartOptions) {
    super(options);
    this.#own = options;
  }

  protected override kind(): Kind {
    return {
      type: 'barchart',
      options: {
        xField: this.#own.x,
        orientation: 'horizontal',
        showValue: 'always',
        stacking: 'none',
        groupWidth: 0.7,
        barWidth: 0.9,
        barRadius: 0,
        xTickLabelRotation: 0,
        xTickLabelMaxLength: 40,
        xTickLabelSpacing: 0,
        fullHighlight: false,
        legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
        tooltip: { mode: 'single', sort: 'none' },
      },
      color: { mode: 'fixed', fixedColor: palette.blue },
      custom: { lineWidth: 1, fillOpacity: 80, gradientMode: 'none', axisPlacement: 'auto' },
    };
  }
}
