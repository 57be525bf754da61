import type { Dimension } from '../../../src/search/dimension.ts';
import { randomOf } from '../../../src/search/random.ts';
import type { Space, Values } from '../../../src/search/space.ts';

/** A function with a known least value, for searches that look for the greatest of its negative. */
export type TestFunction = {
  readonly name: string;
  readonly space: Space;
  readonly least: number;
  readonly of: (values: Values) => number;
  /** Standard deviation of what is added to each trial's value. */
  readonly noise?: number;
};

const unit = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

export const testFunctions: readonly TestFunction[] = [
  { name: 'Branin', space: [double('x', -5, 10), double('y', 0, 15)], least: 0.397887357729739, of: branin },
  {
    name: 'Branin, noisy',
    space: [double('x', -5, 10), double('y', 0, 15)],
    least: 0.397887357729739,
    of: branin,
    noise: 2,
  },
  {
    name: 'Hartmann-6',
    space: unit.map((name) => double(name, 0, 1)),
    least: -3.322368011415512,
    of: hartmann6,
  },
  {
    name: 'Ackley-5',
    space: unit.slice(0, 5).map((name) => double(name, -20, 32.768)),
    least: 0,
    of: ackley,
  },
  {
    name: 'log-scaled',
    space: [
      { ...double('rate', 1e-5, 10), scale: 'log' },
      { ...double('decay', 1e-7, 1), scale: 'log' },
      { name: 'batch', kind: 'integer', min: 4, max: 2048, scale: 'log' },
    ],
    least: 0,
    of: logScaled,
  },
  {
    name: 'mixed',
    space: [
      double('x', -2, 2),
      double('y', -2, 2),
      { name: 'layers', kind: 'integer', min: 1, max: 12, scale: 'linear' },
      { name: 'width', kind: 'discrete', values: [16, 32, 64, 128, 256] },
      { name: 'activation', kind: 'categorical', values: ['relu', 'gelu', 'tanh', 'elu'] },
      { name: 'norm', kind: 'categorical', values: [true, false] },
    ],
    least: 0,
    of: mixed,
  },
  {
    name: 'conditional',
    space: [
      { name: 'optimizer', kind: 'categorical', values: ['sgd', 'adam', 'lion'] },
      { ...double('rate', 1e-5, 1), scale: 'log' },
      { ...double('momentum', 0, 1), when: { name: 'optimizer', is: 'sgd' } },
      { ...double('beta', 0.5, 1), when: { name: 'optimizer', is: 'adam' } },
      { ...double('epsilon', 1e-9, 1e-3), scale: 'log', when: { name: 'optimizer', is: 'adam' } },
      { name: 'schedule', kind: 'categorical', values: ['constant', 'cosine'] },
      {
        name: 'warmup',
        kind: 'integer',
        min: 0,
        max: 20,
        scale: 'linear',
        when: { name: 'schedule', is: 'cosine' },
      },
    ],
    least: 0,
    of: conditional,
  },
];

/** What a trial sees: the same for every contestant. */
export function seen(
  { noise = 0, name, of }: TestFunction,
  values: Values,
  seed: number,
  number: number,
): number {
  const random = randomOf('noise', name, seed, number);
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return of(values) + noise * normal;
}

function branin(values: Values): number {
  const [x, y] = [numberOf(values, 'x'), numberOf(values, 'y')];
  const curve = y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6;
  return curve ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
}

function hartmann6(values: Values): number {
  const alpha = [1, 1.2, 3, 3.2];
  const a = [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
  ];
  const p = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
  ];
  const point = unit.map((name) => numberOf(values, name));
  return -alpha.reduce((sum, weight, i) => {
    const distance = point.reduce((total, x, j) => total + a[i]![j]! * (x - p[i]![j]!) ** 2, 0);
    return sum + weight * Math.exp(-distance);
  }, 0);
}

function ackley(values: Values): number {
  const point = unit.slice(0, 5).map((name) => numberOf(values, name));
  const mean = (of: (x: number) => number) => point.reduce((sum, x) => sum + of(x), 0) / point.length;
  const root = Math.sqrt(mean((x) => x ** 2));
  return -20 * Math.exp(-0.2 * root) - Math.exp(mean((x) => Math.cos(2 * Math.PI * x))) + 20 + Math.E;
}

/** Least at rate 0.03, decay 2e-4 and batch 96; a high rate wants a large batch. */
function logScaled(values: Values): number {
  const rate = Math.log10(numberOf(values, 'rate') / 0.03);
  const decay = Math.log10(numberOf(values, 'decay') / 2e-4);
  const batch = Math.log2(numberOf(values, 'batch') / 96);
  return rate ** 2 + 0.3 * decay ** 2 + 0.1 * (batch - 2 * rate) ** 2;
}

/** Least at x = 0.7, y = -0.3, 7 layers of 64 with gelu and norm; another activation moves the optimum of x. */
function mixed(values: Values): number {
  const activation = ['gelu', 'relu', 'elu', 'tanh'].indexOf(String(values.activation));
  const width = Math.log2(numberOf(values, 'width') / 64);
  return (
    (numberOf(values, 'x') - 0.7 + 0.4 * activation) ** 2 +
    (numberOf(values, 'y') + 0.3) ** 2 +
    0.05 * (numberOf(values, 'layers') - 7) ** 2 +
    0.2 * width ** 2 +
    0.3 * activation +
    (values.norm === true ? 0 : 0.5)
  );
}

/** Least with sgd at rate 0.1 and momentum 0.9, cosine and 5 epochs of warm-up; adam has an optimum that is worse. */
function conditional(values: Values): number {
  const rate = Math.log10(numberOf(values, 'rate'));
  const schedule = values.schedule === 'cosine' ? 0.005 * (numberOf(values, 'warmup') - 5) ** 2 : 0.4;
  switch (values.optimizer) {
    case 'sgd':
      return schedule + (rate + 1) ** 2 + 4 * (numberOf(values, 'momentum') - 0.9) ** 2;
    case 'adam': {
      const epsilon = Math.log10(numberOf(values, 'epsilon')) + 8;
      return (
        0.3 + schedule + (rate + 3) ** 2 + 8 * (numberOf(values, 'beta') - 0.9) ** 2 + 0.02 * epsilon ** 2
      );
    }
    default:
      return 0.6 + schedule + (rate + 4) ** 2;
  }
}

function double(name: string, min: number, max: number): Dimension & { kind: 'double' } {
  return { name, kind: 'double', min, max, scale: 'linear' };
}

function numberOf(values: Values, name: string): number {
  return Number(values[name]);
}
