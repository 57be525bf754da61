import { experimentSchema } from '@destillml/core/api/crd.ts';
import { withDefaults } from '@destillml/core/api/defaults.ts';
import { parseExperiment, validateExperiment, validateUpdate } from '@destillml/core/api/validate.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { experiments } from './arbitrary.ts';

describe('an Experiment that is valid', () => {
  it('is parsed to what is parsed to itself, with the API server’s defaults, and may replace itself', () => {
    fc.assert(
      fc.property(experiments, (input) => {
        fc.pre(validateExperiment(input).length === 0);
        const parsed = parseExperiment(input);
        expect(parseExperiment(parsed)).toEqual(parsed);
        expect(withDefaults(experimentSchema, input)).toEqual(parsed);
        expect(validateUpdate(parsed, input)).toEqual([]);
      }),
      { numRuns: 20, maxSkipsPerRun: 200 },
    );
  });
});

describe('an Experiment of the right types', () => {
  it('breaks rules at most: no expression fails to be evaluated', () => {
    fc.assert(
      fc.property(experiments, (input) => {
        for (const { message } of validateExperiment(input))
          expect(message).toMatch(/ is not allowed; |^missing; /);
      }),
      { numRuns: 100 },
    );
  });
});
