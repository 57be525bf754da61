import { scaleLinear } from 'd3-scale';
import type { Sweep } from '../../api/sweep.ts';
import { formatValue } from '../../results/swept.ts';
import { type Axis, axisAround } from '../charts/axis.ts';

type Parameter = Sweep['parameters'][number];

/** Whole numbers that stand beside each other with a name for each. */
const mostChoices = 10;

/** All that a parameter may be, from its least value to its greatest. */
export interface ParameterAxis extends Axis {
  readonly place: (value: number | boolean) => number;
  /** Of few values: those that are alike lie on one another. */
  readonly isDiscrete: boolean;
}

export function parameterAxis(
  parameter: Parameter,
  label: string,
  range: readonly [number, number],
): ParameterAxis {
  const few = choicesOf(parameter);
  if (few !== undefined) return choices(few, label, range);
  const { double, integer } = parameter;
  const within = double ?? integer;
  if (within === undefined) throw new RangeError(`${parameter.name} has neither values nor a range`);
  const log = within.scale === 'log';
  const axis = axisAround([within.min, within.max], {
    label,
    format: formatValue,
    range,
    log,
    exact: true,
    count: 4,
  });
  const isWhole = ({ value }: Axis['ticks'][number]) => double !== undefined || Number.isInteger(value);
  return {
    ...axis,
    ticks: axis.ticks.filter(isWhole),
    place: (value) => axis.scale(Number(value)),
    isDiscrete: false,
  };
}

/** All that it may be, where these are few. */
function choicesOf({ double, integer, discrete }: Parameter): readonly (number | boolean)[] | undefined {
  if (discrete) return discrete.toSorted((a, b) => a - b);
  if (double) return undefined;
  if (integer === undefined) return [false, true];
  const { min, max, scale, step = 1 } = integer;
  const count = Math.floor((max - min) / step) + 1;
  if (scale === 'log' || count > mostChoices) return undefined;
  return Array.from({ length: count }, (_, index) => min + index * step);
}

function choices(
  values: readonly (number | boolean)[],
  label: string,
  range: readonly [number, number],
): ParameterAxis {
  const scale = scaleLinear()
    .domain([-0.5, values.length - 0.5])
    .range(range);
  return {
    label,
    scale,
    ticks: values.map((value, index) => ({ value: index, text: formatValue(value) })),
    place: (value) => scale(values.indexOf(value)),
    isDiscrete: true,
  };
}
