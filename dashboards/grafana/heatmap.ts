import { Panel } from './panel.ts';
import type { Kind } from './schema.ts';

/** How many fell into each bucket of a histogram, over time. */
export class Heatmap extends Panel {
  protected override kind(): Kind {
    const { unit } = this.given;
    return {
      type: 'heatmap',
      options: {
        calculate: false,
        cellGap: 1,
        cellValues: { unit: 'short' },
        color: {
          mode: 'scheme',
          scheme: 'YlGnBu',
          steps: 64,
          reverse: false,
          exponent: 0.5,
          fill: 'dark-orange',
        },
        exemplars: { color: 'rgba(255,0,255,0.7)' },
        filterValues: { le: 1e-9 },
        showValue: 'never',
        legend: { show: true },
        rowsFrame: { layout: 'auto' },
        tooltip: { show: true, yHistogram: false },
        yAxis: { axisPlacement: 'left', reverse: false, unit },
      },
      custom: { scaleDistribution: { type: 'linear' } },
    };
  }
}
