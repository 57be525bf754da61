import grafana from 'grafana-dash-gen';
import { flow } from './layout.ts';
import type { Row } from './row.ts';
import type { Annotation, DashboardJson, PanelJson, PlacedPanel, RowJson, Variable } from './schema.ts';

/** What all dashboards of DestillML are tagged with, and find each other by. */
const tag = 'destillml';

export type DashboardOptions = {
  /** The same for ever: addresses hold it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** How far back it looks at first, such as `24h`. */
  readonly since: string;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  readonly rows: readonly Row[];
};

/**
 * A dashboard as Grafana 9.4 and later read it, in place of the format of grafana-dash-gen, which none reads any more.
 *
 * schemaVersion 39 is the newest that needs nothing of what 9.4 does not know; later Grafanas migrate it by themselves.
 */
export class Dashboard extends grafana.Dashboard {
  readonly #options: DashboardOptions;

  constructor(options: DashboardOptions) {
    super({ title: options.title, tags: [tag] });
    this.#options = options;
    for (const row of options.rows) this.addRow(row);
  }

  /** Equal options give equal JSON. */
  json(): DashboardJson {
    const { uid, title, description, since, variables, annotations, rows } = this.#options;
    return {
      id: null,
      uid,
      title,
      description,
      tags: [tag],
      editable: true,
      style: 'dark',
      timezone: 'browser',
      // A crosshair at the same time on all panels.
      graphTooltip: 1,
      time: { from: `now-${since}`, to: 'now' },
      refresh: '30s',
      schemaVersion: 39,
      version: 1,
      templating: { list: [...variables] },
      annotations: { list: [...annotations] },
      links: [
        {
          type: 'dashboards',
          title: 'DestillML',
          url: '',
          tooltip: 'The other dashboards, with the same time range and choices',
          tags: [tag],
          icon: 'external link',
          asDropdown: false,
          targetBlank: false,
          includeVars: true,
          keepTime: true,
        },
      ],
      panels: panelsOf(rows),
    };
  }
}

function panelsOf(rows: readonly Row[]): (PlacedPanel | RowJson)[] {
  const all: (PlacedPanel | RowJson)[] = [];
  let y = 0;
  let id = 0;
  const numbered = (panel: PanelJson, gridPos: PlacedPanel['gridPos']): PlacedPanel => {
    id += 1;
    return { ...panel, id, gridPos };
  };
  for (const { title, content, collapsed } of rows) {
    id += 1;
    const header = { id, type: 'row' as const, title, gridPos: { x: 0, y, w: 24, h: 1 } };
    const sizes = content.map(({ given: { width, height = 8 } }) => ({ width, height }));
    const { places, bottom } = flow(sizes, y + 1);
    const panels = content.map((panel, index) => numbered(panel.json(), placeAt(places, index)));
    // The panels of a closed row are inside of it.
    all.push({ ...header, collapsed, panels: collapsed ? panels : [] });
    if (!collapsed) all.push(...panels);
    y = collapsed ? y + 1 : bottom;
  }
  return all;
}

function placeAt<Place>(places: readonly Place[], index: number): Place {
  const place = places[index];
  if (place === undefined) throw new RangeError(`panel ${index} has no place`);
  return place;
}
