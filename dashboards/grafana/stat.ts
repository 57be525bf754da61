import { Panel } from './panel.ts';
import type { Kind } from './schema.ts';

/** One number, or a few, as large as there is room for. */
export class Stat extends Panel {
  protected override kind(): Kind {
    const { thresholds } = this.given;
    return {
      type: 'stat',
      options: {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        orientation: 'auto',
        textMode: 'auto',
        colorMode: thresholds === undefined ? 'none' : 'value',
        graphMode: 'none',
        justifyMode: 'auto',
      },
      custom: {},
      ...(thresholds === undefined ? {} : { color: { mode: 'thresholds' as const } }),
    };
  }
}
