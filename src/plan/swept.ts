import { type Augmentation, augmentation } from '../api/dataset.ts';
import type { Sweep } from '../api/sweep.ts';
import type { SweptValues } from '../api/sweepable.ts';
import type { Dimension } from '../search/dimension.ts';
import type { Space, Values } from '../search/space.ts';
import type { Treatment } from './naming.ts';

/** What is varied in a Run: a parameter of the sweep leaves out what it does not touch. */
export function spaceFor(
  { parameters }: Pick<Sweep, 'parameters'>,
  treatment: Pick<Treatment, 'role' | 'objective'>,
): Space {
  return parameters
    .filter(({ name }) => touches(name, treatment))
    .map((parameter) => dimension(parameter, parameters));
}

/**
 * The treatment with these values, by path in the spec of the Experiment. What an augmentation is with is what the spec
 * says of it.
 */
export function withValues(treatment: Treatment, values: SweptValues): Treatment {
  const swept = Object.entries(values);
  if (swept.length === 0) return treatment;
  // Numbers of an augmentation that is tried without are not among the values.
  const without = swept.filter(([, value]) => value === false).map(([path]) => path.split('.'));
  const numbers = swept.flatMap(([path, value]) =>
    typeof value === 'number' ? [[path.split('.'), value] as const] : [],
  );
  const { training, dataset, objective } = treatment;
  const before: Fields = { training, dataset, distillation: objective };
  const removed = without.reduce<Fields>((fields, path) => put(fields, path, undefined), before);
  const {
    training: tuned,
    dataset: data,
    distillation,
  } = numbers.reduce<Fields>((fields, [path, value]) => put(fields, path, value), removed) as unknown as Pick<
    Treatment,
    'training' | 'dataset'
  > & { distillation: Treatment['objective'] };
  return {
    ...treatment,
    training: tuned,
    dataset: { ...data, augmentation: augmentation.parse(data.augmentation) satisfies Augmentation },
    ...(distillation === undefined ? {} : { objective: distillation }),
  };
}

/** Values in short, by the last words of their paths: `learningRate=0.1, crop=false`. */
export function valuesText(values: SweptValues): string {
  const names = shortNames(Object.keys(values));
  return Object.entries(values)
    .map(([path, value]) => `${names.get(path)}=${value}`)
    .join(', ');
}

/** What stands for a path where there is little room: as many of its last parts as tell it from the others. */
export function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.map((path) => {
      const parts = path.split('.');
      const names = parts.map((_, index) => parts.slice(-1 - index).join('.'));
      const isAlone = (name: string) =>
        paths.every((other) => other === path || (other !== name && !other.endsWith(`.${name}`)));
      return [path, names.find(isAlone) ?? path];
    }),
  );
}

type Fields = { readonly [field: string]: unknown };

function put(fields: Fields, [first = '', ...rest]: readonly string[], value: number | undefined): Fields {
  if (rest.length > 0) return { ...fields, [first]: put((fields[first] ?? {}) as Fields, rest, value) };
  const { [first]: _, ...others } = fields;
  return value === undefined ? others : { ...others, [first]: value };
}

function touches(path: string, { role, objective }: Pick<Treatment, 'role' | 'objective'>): boolean {
  const [part, field = ''] = path.split('.');
  if (part === 'distillation') return objective !== undefined && field in objective;
  return path !== 'training.labelSmoothing' || role !== 'distilled';
}

function dimension(parameter: Sweep['parameters'][number], all: Sweep['parameters']): Dimension {
  const { name, double, integer, discrete } = parameter;
  const owner = all.find((other) => other.boolean !== undefined && name.startsWith(`${other.name}.`));
  const common = { name, ...(owner === undefined ? {} : { when: { name: owner.name, is: true } }) };
  if (double !== undefined) return { ...common, kind: 'double', ...stepped(double) };
  if (integer !== undefined) return { ...common, kind: 'integer', ...stepped(integer) };
  if (discrete !== undefined) return { ...common, kind: 'discrete', values: discrete };
  return { ...common, kind: 'categorical', values: [true, false] };
}

type Range = { readonly min: number; readonly max: number; readonly scale: 'linear' | 'log' };

function stepped({
  step,
  ...range
}: Range & { readonly step?: number | undefined }): Range & { step?: number } {
  return step === undefined ? range : { ...range, step };
}

/** Names of the dimensions are paths, whose values are numbers and whether something is there. */
export function sweptValues(values: Values): SweptValues {
  return Object.fromEntries(
    Object.entries(values).map(([path, value]) => {
      if (typeof value === 'string') throw new TypeError(`${path} has no value ${value}`);
      return [path, value];
    }),
  );
}
