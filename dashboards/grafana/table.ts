import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type TableOptions = PanelOptions & {
  /** Name of the column that rows are sorted by at first. */
  readonly sortBy?: { readonly column: string; readonly descending: boolean };
};

/** Rows of labels and values. */
export class Table extends Panel {
  readonly #own: TableOptions;

  constructor(options: TableOptions) {
    super(options);
    this.#own = options;
  }

  protected override kind(): Kind {
    const { sortBy } = this.#own;
    return {
      type: 'table',
      options: {
        frameIndex: 0,
        showHeader: true,
        cellHeight: 'sm',
        footer: { show: false, reducer: ['sum'], countRows: false },
        sortBy: sortBy === undefined ? [] : [{ displayName: sortBy.column, desc: sortBy.descending }],
      },
      custom: { align: 'auto', inspect: false },
    };
  }
}

/**
 * A cell whose ground says how much it is. Grafana 9.4 knows `displayMode`, later ones `cellOptions`; each ignores the
 * other.
 */
export const coloredCell = {
  'custom.displayMode': 'color-background-solid',
  'custom.cellOptions': { type: 'color-background', mode: 'basic' },
  color: { mode: 'continuous-YlBl' },
} as const;
