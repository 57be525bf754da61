import type { Metric } from '@destillml/core/metrics/metric.ts';
import { labelValue } from '@destillml/core/text/label-value.ts';

/** A series at a moment: its labels as `labelText` writes them, and its value. */
export type Series = readonly [labels: string, value: number];

/** How a metric is read of one of what it is about; without series where nothing is known. */
export type Reading<Seen> = { readonly metric: Metric; readonly read: (seen: Seen) => readonly Series[] };

/** One series, or none where its value is not known. */
export function one(labels: string, value: number | undefined): readonly Series[] {
  return value === undefined ? [] : [[labels, value]];
}

/** Parts of a text are about so long: a scrape of tens of megabytes is in memory by a few of them only. */
const partLength = 65_536;

/**
 * A metric in Prometheus' text format 0.0.4, in parts, with a final newline.
 *
 * Not by prom-client, which looks up and escapes the labels of each series anew: tens of thousands of them, of which
 * most have the labels of another, would take half a second of the only thread.
 */
export function* exposition({ name, help, type }: Metric, series: Iterable<Series>): Generator<string> {
  let part = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (const [labels, value] of series) {
    part += `${name}{${labels}} ${value}\n`;
    if (part.length < partLength) continue;
    yield part;
    part = '';
  }
  yield part;
}

/** Metrics of what was seen, one after the other, in parts. */
export function* expositions<Seen>(
  readings: readonly Reading<Seen>[],
  seen: readonly Seen[],
): Generator<string> {
  for (const { metric, read } of readings) yield* exposition(metric, eachOf(seen, read));
}

function* eachOf<Seen>(seen: readonly Seen[], read: Reading<Seen>['read']): Generator<Series> {
  for (const each of seen) yield* read(each);
}

/** Labels as they stand between the braces; those that are undefined or empty are left out, which is the same. */
export function labelText(labels: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(labels)
    .flatMap(([name, value]) => (value ? [`${name}="${labelValue(value)}"`] : []))
    .join(',');
}
