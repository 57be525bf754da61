import { parseExperiment, parseRun, validateUpdate } from '@destillml/core/api/validate.ts';
import { describe, expect, it } from 'vitest';
import { existingSpec, refusedChanges, takenChanges } from './changes.ts';
import { experimentWith, runWith } from './specs.ts';

function changed(changes: Readonly<Record<string, unknown>>): string[] {
  const old = parseExperiment(experimentWith(existingSpec));
  return validateUpdate(old, experimentWith({ ...existingSpec, ...changes })).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

describe('an Experiment that exists', () => {
  it.each(takenChanges)('takes %s', (_, changes) => expect(changed(changes)).toEqual([]));

  it.each(refusedChanges)('refuses %s', (_, changes, expected) => {
    const messages = changed(changes);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain(expected);
  });

  it('is checked like a new one, too', () =>
    expect(changed({ parallelism: 0 })).toEqual([
      'spec.parallelism: 0 is not allowed; a whole number from 1 to 1000',
    ]));
});

describe('a Run that exists', () => {
  const old = parseRun(runWith());

  it('takes a start and a stop', () => {
    const next = {
      ...old,
      spec: { ...old.spec, suspend: false, stop: { reason: 'Median', message: 'behind' } },
    };
    expect(validateUpdate(old, next)).toEqual([]);
  });

  it('keeps its parameters and its Experiment', () => {
    const moved = { ...old, spec: { ...old.spec, experiment: 'other' } };
    expect(validateUpdate(old, moved).map(({ field }) => field)).toEqual(['spec.experiment']);
    expect(validateUpdate(old, runWith({ seed: 2 })).map(({ field }) => field)).toEqual(['spec.parameters']);
  });
});
