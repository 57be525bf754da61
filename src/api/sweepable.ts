import { z } from 'zod';
import { dataset } from './dataset.ts';
import { distillationObjective } from './distillation.ts';
import { atomic } from './rules.ts';
import type { Structural } from './schema.ts';
import { structural } from './structural.ts';
import { training } from './training.ts';

/** A number of the spec that a sweep may vary, with its limits. */
export type SweepableNumber = {
  /** Path in the spec; distillation stands for whichever arm has the technique. */
  readonly path: string;
  readonly integer: boolean;
  readonly minimum: number;
  readonly maximum: number;
  readonly exclusiveMinimum: boolean;
  readonly exclusiveMaximum: boolean;
};

const augmentation = structural(dataset.shape.augmentation, 'augmentation');

/** The numbers of the recipe, the techniques and the training images: what a Run is trained with. */
export const sweepableNumbers: readonly SweepableNumber[] = [
  ...numbersIn(structural(training, 'training'), 'training'),
  ...numbersIn(structural(distillationObjective, 'distillation'), 'distillation'),
  ...numbersIn(augmentation, 'dataset.augmentation'),
  ...numbersIn(structural(dataset.shape.fraction, 'fraction'), 'dataset.fraction'),
];

/** Paths of what a sweep may try with and without: augmentations that have settings of their own. */
export const sweepableSwitches: readonly string[] = Object.entries(augmentation.properties ?? {}).flatMap(
  ([name, { type }]) => (type === 'object' ? [`dataset.augmentation.${name}`] : []),
);

export const sweepablePaths: readonly string[] = [
  ...sweepableNumbers.map(({ path }) => path),
  ...sweepableSwitches,
];

/** What a configuration sets, by path in the spec: a number, or whether an augmentation is used. */
export type SweptValues = { readonly [path: string]: number | boolean | undefined };

/** One field for each path, with the limits of what it sets. */
export const sweptValues: z.ZodType<SweptValues, SweptValues> = atomic(
  z.strictObject({
    ...Object.fromEntries(
      sweepableNumbers.map(
        (number) =>
          [number.path, numberWithin(number).optional().describe(`Value of ${number.path}.`)] as const,
      ),
    ),
    ...Object.fromEntries(
      sweepableSwitches.map(
        (path) => [path, z.boolean().optional().describe(`Whether with ${path}.`)] as const,
      ),
    ),
  }),
);

function numberWithin(number: SweepableNumber): z.ZodNumber {
  const { minimum, maximum } = number;
  const type = number.integer ? z.int() : z.number();
  const above = number.exclusiveMinimum ? type.gt(minimum) : type.min(minimum);
  return number.exclusiveMaximum ? above.lt(maximum) : above.max(maximum);
}

function numbersIn(schema: Structural, path: string): SweepableNumber[] {
  if (schema.type === 'integer' || schema.type === 'number') return [limitsOf(schema, path)];
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    numbersIn(child, `${path}.${name}`),
  );
}

function limitsOf(schema: Structural, path: string): SweepableNumber {
  if (schema.minimum === undefined || schema.maximum === undefined) throw new Error(`${path} has no limits`);
  return {
    path,
    integer: schema.type === 'integer',
    minimum: schema.minimum,
    maximum: schema.maximum,
    exclusiveMinimum: schema.exclusiveMinimum ?? false,
    exclusiveMaximum: schema.exclusiveMaximum ?? false,
  };
}
