const minute = 60;
const hour = 3600;
const day = 86_400;

/** Steps that read well on an axis of time or of bytes; ECharts knows those of plain numbers. */
const steps: Readonly<Record<string, readonly number[]>> = {
  s: [
    1,
    2,
    5,
    10,
    15,
    30,
    minute,
    2 * minute,
    5 * minute,
    10 * minute,
    15 * minute,
    30 * minute,
    hour,
    2 * hour,
    4 * hour,
    8 * hour,
    day,
    2 * day,
    7 * day,
  ],
  bytes: Array.from({ length: 20 }, (_, power) => 2 ** (power + 20)),
};

/** For an axis of those values: where its lines are, if its unit has steps of its own. */
export function ticks(
  values: readonly number[],
  unit: string,
): { readonly interval?: number; readonly max?: number } {
  const span = Math.max(0, ...values.filter(Number.isFinite));
  const interval = steps[unit]?.find((step) => span / step <= 5);
  return interval === undefined || span < interval
    ? {}
    : { interval, max: Math.ceil(span / interval) * interval };
}
