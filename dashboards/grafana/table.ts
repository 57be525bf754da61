import { palette } from './palette.ts';
import { Panel, type PanelOptions, type Threshold, thresholdsJson } from './panel.ts';
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
      // Columns are made as wide as there is room for, and not 150 pixels at least.
      custom: { align: 'auto', inspect: false, minWidth: 60 },
    };
  }
}

/** A bar in the cell, from `min` to `max`: of one column, where Grafana would take the range of all of them. */
export function barCell(min: number, max: number) {
  return {
    'custom.displayMode': 'basic',
    'custom.cellOptions': { type: 'gauge', mode: 'basic' },
    min,
    max,
    color: { mode: 'fixed', fixedColor: palette.sky },
  } as const;
}

/**
 * A cell whose ground says how good it is. Grafana 9.4 knows `displayMode`, later ones `cellOptions`; each ignores the
 * other.
 *
 * By thresholds, not by a continuous scale: with that, cells without a value have the colour of the least one.
 */
export function gradedCell(thresholds: readonly Threshold[]) {
  return {
    'custom.displayMode': 'color-background-solid',
    'custom.cellOptions': { type: 'color-background', mode: 'basic' },
    color: { mode: 'thresholds' },
    // Grafana counts what has no value as the least of all.
    thresholds: thresholdsJson([{ from: Number.NEGATIVE_INFINITY, color: 'transparent' }, ...thresholds]),
  } as const;
}

/** A text in place of a number. */
export type Word = { readonly value: number; readonly text: string; readonly color: string };

/** Words in their colours in place of the numbers that stand for them. */
export function wordCell(words: readonly Word[]) {
  const options = Object.fromEntries(
    words.map(({ value, text, color }, index) => [String(value), { text, color, index }]),
  );
  return {
    'custom.displayMode': 'color-background-solid',
    'custom.cellOptions': { type: 'color-background', mode: 'basic' },
    mappings: [{ type: 'value', options }],
  } as const;
}

/** The width of a column in pixels, where its texts are of a known length. */
export function wide(pixels: number) {
  return { 'custom.width': pixels } as const;
}

/** A column that is there for links alone. */
export const hidden = { 'custom.hidden': true } as const;
