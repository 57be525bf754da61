/**
 * Draws the dashboards from a Prometheus, without Grafana, so that they can be looked at and put into the docs.
 *
 *     node dashboards/picture.ts --prometheus http://localhost:9090 --out docs/images --experiment quickstart
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import sharp from 'sharp';
import { dashboards } from './all.ts';
import { choicesFor } from './picture/choices.ts';
import { dashboardPicture } from './picture/dashboard.ts';
import { Prometheus, type Range } from './picture/prometheus.ts';

type Options = {
  readonly prometheus: string;
  readonly out: string;
  readonly since: number;
  readonly until: number;
  readonly namespace?: readonly string[];
  readonly experiment?: readonly string[];
  readonly run?: readonly string[];
};

const program = new Command('picture')
  .description('Draws each dashboard from a Prometheus into a PNG, and names panels that are empty.')
  .requiredOption('--prometheus <url>', 'the Prometheus to ask')
  .requiredOption('--out <folder>', 'where the pictures are written')
  .option('--since <seconds>', 'length of the time range', positive, 3600)
  .option('--until <time>', 'its end, such as 2026-11-24T12:00:00Z', toSeconds, Math.floor(Date.now() / 1000))
  .option('--namespace <names...>', 'only these; all unless it is told')
  .option('--experiment <names...>', 'only these; all unless it is told')
  .option('--run <names...>', 'only these; all unless it is told');

const { prometheus: url, out, since, until, ...chosen } = program.parse().opts<Options>();
const range: Range = { start: until - since, end: until, step: Math.max(1, Math.round(since / 240)) };
const prometheus = new Prometheus(url);

await mkdir(out, { recursive: true });
for (const [name, dashboard] of Object.entries(dashboards)) {
  const json = dashboard.json();
  const variables = await choicesFor(json, chosen, prometheus, range);
  const { svg, empty } = await dashboardPicture(json, { prometheus, range, variables });
  const file = join(out, `dashboard-${name}.png`);
  await writeFile(file, await sharp(Buffer.from(svg)).png().toBuffer());
  process.stdout.write(`${file}${empty.length === 0 ? '' : `; empty: ${empty.join(', ')}`}\n`);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0');
  return value;
}

function toSeconds(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError('a time such as 2026-11-24T12:00:00Z');
  return time / 1000;
}
