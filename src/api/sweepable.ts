import { dataset } from './dataset.ts';
import { distillationObjective } from './distillation.ts';
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

/** The numbers of the recipe, the techniques and the training images: what a Run is trained with. */
export const sweepableNumbers: readonly SweepableNumber[] = [
  ...numbersIn(structural(training, 'training'), 'training'),
  ...numbersIn(structural(distillationObjective, 'distillation'), 'distillation'),
  ...numbersIn(structural(dataset.shape.augmentation, 'augmentation'), 'dataset.augmentation'),
  ...numbersIn(structural(dataset.shape.fraction, 'fraction'), 'dataset.fraction'),
];

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
