import type { LabelName } from './labels.ts';

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** What the number is of. `ratio`: a share in 0–1; `correlation`: −1–1; `seconds` with a name that has `time` in it: since 1970. */
export type Unit =
  | 'count'
  | 'seconds'
  | 'bytes'
  | 'ratio'
  | 'correlation'
  | 'info'
  | 'state'
  | 'images per second'
  | 'any';

/** A metric as Prometheus knows it: who exports it makes it from this. */
export type Metric<L extends LabelName = LabelName> = {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: Unit;
  readonly help: string;
  /** Labels that its series may have. One that says nothing of a series, such as the arm of a teacher, is left out. */
  readonly labels: readonly L[];
  /** Upper bounds of the buckets of a histogram. */
  readonly buckets?: readonly number[];
};

/** Keeps the names of the labels as types. */
export function metric<const L extends LabelName>(definition: Metric<L>): Metric<L> {
  return definition;
}

/** What prom-client makes it from, and registers it in. */
export function clientOptions<L extends LabelName, Registry>(
  { name, help, labels, buckets }: Metric<L>,
  registry: Registry,
) {
  return {
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    ...(buckets === undefined ? {} : { buckets: [...buckets] }),
  };
}

/** Names of the series that a metric makes, with the labels that they may have. */
export function seriesOf({ name, type, labels }: Metric): ReadonlyMap<string, readonly string[]> {
  if (type !== 'histogram') return new Map([[name, labels]]);
  return new Map<string, readonly string[]>([
    [`${name}_bucket`, [...labels, 'le']],
    [`${name}_sum`, labels],
    [`${name}_count`, labels],
  ]);
}
