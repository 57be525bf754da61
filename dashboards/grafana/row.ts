import grafana from 'grafana-dash-gen';
import type { Panel } from './panel.ts';

export type RowOptions = {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Whether it is closed until somebody opens it; its queries wait until then. */
  readonly collapsed?: boolean;
};

/** Panels below one heading. */
export class Row extends grafana.Row {
  readonly title: string;
  readonly content: readonly Panel[];
  readonly collapsed: boolean;

  constructor({ title, panels, collapsed = false }: RowOptions) {
    super({ title, panels: [...panels] });
    this.title = title;
    this.content = panels;
    this.collapsed = collapsed;
  }
}
