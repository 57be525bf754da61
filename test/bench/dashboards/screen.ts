import type { DashboardJson, PlacedPanel } from '../../../dashboards/grafana/schema.ts';
import { choicesFor } from '../../dashboards/ask/choices.ts';
import { interpolate, timeVariables, type Variables } from '../../dashboards/ask/interpolate.ts';
import { Prometheus, type Range, type Series } from '../../dashboards/ask/prometheus-client.ts';
import { panelsIn } from '../../dashboards/panels.ts';

/** Height of a screen in pixels without what Grafana has above, and of a unit of its grid with the gap. */
const [screen, unit] = [900, 38];
/** Of a screen 1600 pixels wide, in pixels. */
const columnWidth = 1600 / 24;
/** A browser asks one server so much at the same time. */
const connections = 6;

export type Query = {
  readonly panel: string;
  readonly milliseconds: number;
  readonly bytes: number;
  readonly series: number;
  /** Whether each series is drawn over time, and not a row or a point. */
  readonly isCurve: boolean;
};
export type Seen = {
  /** What choosing takes, the first screen, and all panels, in milliseconds; the screens after the choices. */
  readonly choices: number;
  readonly first: number;
  readonly all: number;
  /** Of all panels. */
  readonly bytes: number;
  readonly queries: readonly Query[];
};

/** Opens a dashboard as somebody does who has chosen nothing yet: asks what Grafana would ask. */
export async function open(dashboard: DashboardJson, url: string, end: number): Promise<Seen> {
  const length = secondsOf(String(dashboard.time?.from));
  const range = { start: end - length, end, step: 15 };
  const before = performance.now();
  const choices = await choicesFor(dashboard, {}, new Prometheus(url), range);
  const chosen = performance.now();
  const panels = panelsIn(dashboard);
  const isFirst = ({ gridPos }: PlacedPanel) => (gridPos?.y ?? 0) * unit < screen;
  const first = await askAll(panels.filter(isFirst), choices, url, range);
  const shown = performance.now();
  const rest = await askAll(
    panels.filter((panel) => !isFirst(panel)),
    choices,
    url,
    range,
  );
  const queries = [...first, ...rest];
  return {
    choices: chosen - before,
    first: shown - chosen,
    all: performance.now() - chosen,
    bytes: queries.reduce((sum, { bytes }) => sum + bytes, 0),
    queries,
  };
}

async function askAll(
  panels: readonly PlacedPanel[],
  choices: Variables,
  url: string,
  range: Range,
): Promise<readonly Query[]> {
  const open = panels.flatMap((panel) => panel.targets.map((target) => ({ panel, target })));
  const asked: Query[] = [];
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let next = open.shift(); next !== undefined; next = open.shift()) {
        const { panel, target } = next;
        const step = stepOf(panel, range);
        const variables = { ...choices, ...timeVariables(range.end - range.start, step) };
        const query = interpolate(target.expr, variables);
        const start = performance.now();
        const { series, bytes } = await measured(url, (prometheus) =>
          target.instant ? prometheus.instant(query, range.end) : prometheus.range(query, { ...range, step }),
        );
        asked.push({
          panel: panel.title,
          milliseconds: performance.now() - start,
          bytes,
          series,
          isCurve: !target.instant,
        });
      }
    }),
  );
  return asked;
}

/** What Prometheus found, and how many bytes its answer had. */
async function measured(
  url: string,
  ask: (prometheus: Prometheus) => Promise<readonly Series[]>,
): Promise<{ readonly series: number; readonly bytes: number }> {
  let bytes = 0;
  const counting: typeof fetch = async (...request) => {
    const body = await (await fetch(...request)).text();
    bytes += body.length;
    return new Response(body);
  };
  const { length: series } = await ask(new Prometheus(url, counting));
  return { series, bytes };
}

/** As Grafana: a point for each pixel, in steps that are not shorter than a scrape. */
function stepOf({ gridPos }: PlacedPanel, { start, end }: Range): number {
  const points = (gridPos?.w ?? 12) * columnWidth;
  return Math.max(15, Math.ceil((end - start) / points / 15) * 15);
}

function secondsOf(from: string): number {
  const [, count = '1', of = 'h'] = /^now-(\d+)([hd])$/.exec(from) ?? [];
  return Number(count) * (of === 'h' ? 3600 : 86_400);
}
