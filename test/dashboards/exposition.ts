/** One line of Prometheus' text format 0.0.4. */
export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
  /** Of the metric that it belongs to; `_bucket`, `_sum` and `_count` belong to a histogram. */
  readonly type: string;
};

/** What a `/metrics` said. @throws Error at a line that is not of the format */
export function samplesIn(text: string): readonly Sample[] {
  const types = new Map<string, string>();
  return text.split('\n').flatMap((line) => {
    const [, typed, type] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) types.set(typed, type);
    if (line === '' || line.startsWith('#')) return [];
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`this is no sample: ${line}`);
    return [{ name, labels: labelsIn(labels), value, type: typeOf(name, types) }];
  });
}

/** `name{label="value"}`, labels in order. */
export function selectorOf({ name, labels }: Pick<Sample, 'name' | 'labels'>): string {
  const pairs = Object.entries(labels)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

function labelsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map(([, label, value]) => [label, JSON.parse(value!)]),
  );
}

function typeOf(name: string, types: ReadonlyMap<string, string>): string {
  const whole = name.replace(/_(bucket|sum|count)$/, '');
  return types.get(name) ?? types.get(whole) ?? 'untyped';
}
