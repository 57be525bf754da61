import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';

/** One direction of a chart. */
export interface Axis {
  readonly label: string;
  readonly scale: ScaleContinuousNumeric<number, number>;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
}

export interface AxisOptions {
  readonly label: string;
  readonly format: (value: number) => string;
  /** Where the least and the greatest value are drawn. */
  readonly range: readonly [number, number];
  /** Logarithmic; what is not above 0 has no place. */
  readonly log?: boolean;
  /** From the least to the greatest value, not from one round number to another. */
  readonly exact?: boolean;
  /** Where a logarithmic axis may have ticks; default: at 1, 2 and 5 times powers of ten. */
  readonly steps?: readonly number[];
  /** Room at both ends of a logarithmic axis, in units of the range. */
  readonly margin?: number;
  /** Ticks wanted, about. */
  readonly count?: number;
}

/** An axis around finite values. */
export function axisAround(values: readonly number[], options: AxisOptions): Axis {
  const { label, format, range, log = false, exact = false, count = 5 } = options;
  const scale = log ? logScale(values, options) : scaleLinear().domain(extent(values)).range(range);
  if (!log && !exact) scale.nice(count);
  const ticks = (log ? logTicks(scale.domain(), options.steps) : scale.ticks(count)).map((value) => ({
    value,
    text: format(value),
  }));
  // Two marks that read the same say nothing.
  return { label, scale, ticks: ticks.filter(({ text }, index) => text !== ticks[index - 1]?.text) };
}

function logTicks([least = 1, greatest = 10]: readonly number[], steps = powerSteps(least, greatest)) {
  return steps.filter((step) => step >= least && step <= greatest);
}

/** From the least to the greatest value, the ends as far away from them as the margin asks. */
function logScale(values: readonly number[], { range: [from, to], margin = 0 }: AxisOptions) {
  const [least, greatest] = extent(values.filter((value) => value > 0));
  const [low, high] = least > 0 ? [least / 1.1, greatest * 1.1] : [1, 10];
  const room = Math.sign(to - from) * margin;
  const inner = scaleLog()
    .domain([low, high])
    .range([from + room, to - room]);
  return scaleLog()
    .domain([inner.invert(from), inner.invert(to)])
    .range([from, to]);
}

/** Least and greatest value, with some room around a single one. */
export function extent(values: readonly number[]): readonly [number, number] {
  const usable = values.filter(Number.isFinite);
  if (usable.length === 0) return [0, 1];
  // Not Math.min(...usable): curves have more points than a call has arguments.
  const least = usable.reduce((a, b) => Math.min(a, b));
  const greatest = usable.reduce((a, b) => Math.max(a, b));
  if (greatest > least) return [least, greatest];
  const room = Math.abs(least) * 0.1 || 1;
  return [least - room, greatest + room];
}

/** 1, 2 and 5 times powers of ten, or the powers alone over many decades. */
function powerSteps(least: number, greatest: number): readonly number[] {
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(greatest))];
  const steps = to - from > 3 ? [1] : [1, 2, 5];
  return Array.from({ length: to - from + 1 }, (_, index) => from + index).flatMap((power) =>
    steps.map((step) => step * 10 ** power),
  );
}
