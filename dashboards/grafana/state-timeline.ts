import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type StateTimelineOptions = PanelOptions & {
  /** What each value means. */
  readonly states: readonly { readonly value: number; readonly text: string; readonly color: string }[];
};

/** Which state each series was in, over time. */
export class StateTimeline extends Panel {
  readonly #own: StateTimelineOptions;

  constructor(options: StateTimelineOptions) {
    super(options);
    this.#own = options;
  }

  protected override kind(): Kind {
    const options = Object.fromEntries(
      this.#own.states.map(({ value, text, color }, index) => [String(value), { text, color, index }]),
    );
    return {
      type: 'state-timeline',
      options: {
        mergeValues: true,
        showValue: 'auto',
        alignValue: 'left',
        rowHeight: 0.9,
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'single', sort: 'none' },
      },
      // By thresholds, with values merged, Grafana would look at no mapping and draw "< 80" and "80+".
      color: { mode: 'palette-classic' },
      mappings: [{ type: 'value', options }],
      custom: { lineWidth: 0, fillOpacity: 80 },
    };
  }
}
