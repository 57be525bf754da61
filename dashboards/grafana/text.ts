import { Panel, type PanelOptions } from './panel.ts';
import type { Kind } from './schema.ts';

export type TextOptions = Pick<PanelOptions, 'title' | 'description' | 'width' | 'height'> & {
  /** Markdown; may name variables. */
  readonly content: string;
};

/** Words, such as a command to copy. */
export class Text extends Panel {
  readonly #content: string;

  constructor({ content, ...options }: TextOptions) {
    super({ ...options, unit: 'none', queries: [] });
    this.#content = content;
  }

  protected override kind(): Kind {
    return { type: 'text', options: { mode: 'markdown', content: this.#content }, custom: {} };
  }
}
