import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { RunParameters } from '@destillml/core/api/run.ts';

export type Sweep = NonNullable<Experiment['spec']['sweep']>;

/** Role of the Runs that a sweep is for. */
const roles = { teacher: 'teacher', students: 'baseline', distilled: 'distilled' } as const;

/**
 * The values that a Run has of the numbers that its Experiment sweeps, by their path in its spec; none where the sweep
 * is not for it. An arm has the numbers of its own techniques only.
 */
export function sweptNumbers(
  { role, stage, training, dataset, objective: distillation }: RunParameters,
  sweep: Sweep | undefined,
): readonly (readonly [path: string, value: number])[] {
  if (sweep === undefined || roles[sweep.for] !== role || stage !== 'main') return [];
  const spec = { training, dataset, distillation };
  return sweep.parameters.flatMap(({ name }) => {
    const value = name.split('.').reduce<unknown>(fieldOf, spec);
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
}
