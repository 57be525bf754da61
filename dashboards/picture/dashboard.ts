import { type DashboardJson, isRow, type PlacedPanel } from '../grafana/schema.ts';
import { interpolate, type Variables } from './interpolate.ts';
import { panelPicture } from './panel.ts';
import { type Asked, isEmpty, panelData } from './panel-data.ts';
import { placed, rectangle, text } from './svg.ts';
import { theme } from './theme.ts';

export type DashboardPicture = {
  readonly svg: string;
  /** Titles of the panels that have nothing to show. */
  readonly empty: readonly string[];
};

const width = 1600;
const gap = 8;
/** Of one unit of Grafana's grid. */
const unit = { width: (width - gap) / 24, height: 38 };
const top = 44;

/** All of a dashboard, closed rows opened, as one SVG. */
export async function dashboardPicture(dashboard: DashboardJson, asked: Asked): Promise<DashboardPicture> {
  const empty: string[] = [];
  const parts: string[] = [];
  let bottom = top;
  let shift = 0;
  const draw = async (panel: PlacedPanel): Promise<void> => {
    const { x, y, w, h } = panel.gridPos;
    const place = {
      x: gap + x * unit.width,
      y: top + (y + shift) * unit.height,
      width: w * unit.width - gap,
      height: h * unit.height - gap,
    };
    const data = await panelData(panel, asked);
    const titled = withChoices(panel, asked.variables);
    if (isEmpty(panel, data)) empty.push(titled.title);
    parts.push(placed(panelPicture(titled, data, place, asked.range), place));
    bottom = Math.max(bottom, place.y + place.height + gap);
  };
  for (const panel of dashboard.panels) {
    if (!isRow(panel)) {
      await draw(panel);
      continue;
    }
    const y = top + (panel.gridPos.y + shift) * unit.height;
    parts.push(text(panel.title ?? '', { x: gap + 4, y: y + 22, size: 15, bold: true }));
    for (const inner of panel.panels) await draw(inner);
    // What follows a closed row was laid out without its panels.
    if (panel.collapsed) shift = Math.max(shift, (bottom - top) / unit.height - panel.gridPos.y - 1);
  }
  const title = text(dashboard.title, { x: gap + 4, y: 28, size: 18, bold: true });
  const chosen = text(describe(asked), { x: width - gap, y: 28, size: 12, anchor: 'end', fill: theme.faint });
  const ground = rectangle({ x: 0, y: 0, width, height: bottom }, theme.page);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${Math.ceil(bottom)}" font-family="${theme.font}">${ground}${title}${chosen}${parts.join('')}</svg>`;
  return { svg, empty };
}

/** With what is chosen, where its title and the names of its columns tell of it. */
function withChoices(panel: PlacedPanel, variables: Variables): PlacedPanel {
  const { defaults, overrides } = panel.fieldConfig;
  const named = overrides.map(({ matcher, properties }) => ({
    matcher,
    properties: properties.map(({ id, value }) =>
      id === 'displayName' ? { id, value: interpolate(String(value), variables) } : { id, value },
    ),
  }));
  return {
    ...panel,
    title: interpolate(panel.title, variables),
    fieldConfig: { defaults, overrides: named },
  };
}

function describe({ variables, range }: Asked): string {
  const chosen = Object.entries(variables)
    .filter(([name]) => name !== 'datasource')
    .map(([name, value]) => `${name}: ${value === '.*' ? 'all' : value}`);
  const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
  return [...chosen, `${time(range.start)} – ${time(range.end)} UTC`].join('   ');
}
