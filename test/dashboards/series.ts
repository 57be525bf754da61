import { type Sample, samplesIn, selectorOf } from './exposition.ts';

/** A series between two scrapes: what grows grows evenly, what is set changes half-way. */
export type Course = {
  readonly sample: Sample;
  readonly from: number | undefined;
  readonly to: number | undefined;
};

/** @param target labels that Prometheus adds to each series that does not have them, such as its job */
export function courses(
  before: string,
  after: string,
  target: Readonly<Record<string, string>>,
): readonly Course[] {
  const first = seriesIn(before, target);
  const last = seriesIn(after, target);
  return [...new Map([...first, ...last])].map(([selector, sample]) => ({
    sample,
    from: numberOf(first.get(selector)),
    to: numberOf(last.get(selector)),
  }));
}

function seriesIn(text: string, target: Readonly<Record<string, string>>): ReadonlyMap<string, Sample> {
  const samples = samplesIn(text).map((sample) => ({ ...sample, labels: { ...target, ...sample.labels } }));
  return new Map(samples.map((sample) => [selectorOf(sample), sample]));
}

function numberOf(sample: Sample | undefined): number | undefined {
  return sample === undefined ? undefined : Number(sample.value);
}

/** Its value at each of so many steps; undefined while it is not there. */
export function valuesOf({ sample, from, to }: Course, steps: number): readonly (number | undefined)[] {
  const grows = sample.type === 'counter' || sample.type === 'histogram';
  return Array.from({ length: steps + 1 }, (_, step) => {
    // A counter that is new begins at zero.
    if (grows && to !== undefined) return (from ?? 0) + ((to - (from ?? 0)) * step) / steps;
    return step < steps / 2 ? from : to;
  });
}

/** As promtool writes the values of a series: `1 2 _ 4`. */
export function notation(values: readonly (number | undefined)[]): string {
  return values.map((value) => (value === undefined ? '_' : String(value))).join(' ');
}
