import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type StatOptions = PanelOptions & {
  /** Whether there may be a number for each of what is chosen: then each says of what it is. */
  readonly isNamed?: boolean;
};

/** One number, or a few, as large as there is room for. */
export class Stat extends Panel {
  readonly #own: StatOptions;

  constructor(options: StatOptions) {
    super(options);
    this.#own = options;
  }

  protected override kind(): Kind {
    const { thresholds, isNamed = false } = this.#own;
    return {
      type: 'stat',
      options: {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        // One below the other: beside each other, names are cut.
        orientation: isNamed ? 'horizontal' : 'auto',
        textMode: isNamed ? 'value_and_name' : 'value',
        // Made to fit, names of several are a few pixels high, and numbers leave them no room.
        ...(isNamed ? { text: { titleSize: 12, valueSize: 28 } } : {}),
        colorMode: thresholds === undefined ? 'none' : 'value',
        graphMode: 'none',
        justifyMode: 'auto',
      },
      custom: {},
      ...(thresholds === undefined ? {} : { color: { mode: 'thresholds' as const } }),
    };
  }
}
