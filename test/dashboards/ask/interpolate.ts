export type Variables = Readonly<Record<string, string | readonly string[]>>;

/**
 * An expression with Grafana's variables filled in: `$run`, `${run}`, `${run:regex}`; several values as a
 * pattern, or with `${run:csv}` one after the other.
 *
 * @throws RangeError if a variable has no value
 */
export function interpolate(expression: string, variables: Variables): string {
  return expression.replaceAll(
    /\$(?:\{([a-z_]\w*)(?::(\w+))?\}|([a-z_]\w*))/gi,
    (_whole, braced?: string, format?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      const value = variables[name];
      if (value === undefined) throw new RangeError(`the variable ${name} has no value in: ${expression}`);
      if (typeof value === 'string') return value;
      return format === 'csv' ? value.join(',') : pattern(value);
    },
  );
}

/** Matches these texts and no others. */
function pattern(values: readonly string[]): string {
  // A backslash of the pattern is written as two within a PromQL string.
  const escaped = values.map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\\$&`));
  return escaped.length === 1 ? escaped.join('') : `(${escaped.join('|')})`;
}

/** What Grafana's own variables stand for. @param range length of the time range @param step of its points; both in seconds */
export function timeVariables(range: number, step: number): Variables {
  // As Grafana does: at least four scrapes of 15 s, or a rate may find no two samples.
  const rateInterval = Math.max(step + 15, 60);
  return {
    __rate_interval: `${rateInterval}s`,
    __interval: `${step}s`,
    __range: `${range}s`,
    __range_s: String(range),
  };
}
