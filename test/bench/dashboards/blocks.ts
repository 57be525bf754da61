import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { TemporaryFolder } from '../../cluster/folder.ts';
import { promtool } from '../../dashboards/promtool.ts';
import type { Scrape } from './lab.ts';

/** Prometheus puts two hours into a block. */
export const blockSeconds = 7200;

export type Moment = { readonly time: number; readonly scrapes: readonly Scrape[] };

type Family = { readonly type: string; readonly series: Map<string, Map<number, string>> };

/**
 * Writes a block of samples, one each `interval` seconds, of what was scraped at some moments: what was said at one of
 * them is taken to be said until the next. @returns how many samples it has
 */
export async function writeBlock(
  moments: readonly Moment[],
  {
    interval,
    data,
    folder,
  }: { readonly interval: number; readonly data: string; readonly folder: TemporaryFolder },
): Promise<number> {
  const families = new Map<string, Family>();
  for (const { time, scrapes } of moments) {
    for (const { text, target } of scrapes) collect(families, text, target, time);
  }
  const [first, second] = moments;
  const between = (second?.time ?? 0) - (first?.time ?? 0);
  const path = folder.file('block.txt');
  const file = openSync(path, 'w');
  let samples = 0;
  let part = '';
  for (const [name, { type, series }] of families) {
    part += `# TYPE ${type === 'counter' ? name.replace(/_total$/, '') : name} ${type}\n`;
    for (const [labels, values] of series) {
      for (const [time, value] of values) {
        for (let later = 0; later < between; later += interval) {
          part += `${labels} ${value} ${time + later}\n`;
          samples += 1;
        }
      }
      if (part.length < 4_000_000) continue;
      writeSync(file, part);
      part = '';
    }
  }
  writeSync(file, `${part}# EOF\n`);
  closeSync(file);
  await promtool('tsdb', 'create-blocks-from', 'openmetrics', '--quiet', path, data);
  rmSync(path);
  return samples;
}

function collect(families: Map<string, Family>, text: string, target: Scrape['target'], time: number): void {
  let family: Family | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('# TYPE ')) {
      const [, , name = '', type = ''] = line.split(' ');
      family = families.get(name) ?? { type, series: new Map() };
      families.set(name, family);
    }
    if (line === '' || line.startsWith('#') || family === undefined) continue;
    const space = line.lastIndexOf(' ');
    const labels = withTarget(line.slice(0, space), target);
    const values = family.series.get(labels) ?? new Map<number, string>();
    values.set(time, line.slice(space + 1));
    family.series.set(labels, values);
  }
}

/** The labels that Prometheus adds, but for those that the series has itself. */
function withTarget(series: string, target: Scrape['target']): string {
  const added = Object.entries(target)
    .filter(([label]) => !series.includes(`{${label}="`) && !series.includes(`,${label}="`))
    .map(([label, value]) => `${label}="${value}"`)
    .join(',');
  if (!series.includes('{')) return `${series}{${added}}`;
  const inner = series.slice(series.indexOf('{') + 1, -1);
  const all = [inner, added].filter((each) => each !== '').join(',');
  return `${series.slice(0, series.indexOf('{'))}{${all}}`;
}
