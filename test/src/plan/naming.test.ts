import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunParameters } from '../../../src/api/run.ts';
import { canonicalJson, runName } from '../../../src/plan/naming.ts';
import { experimentOf } from './world.ts';

const { dataset, training } = experimentOf().spec;
const parameters: RunParameters = {
  role: 'distilled',
  stage: 'main',
  arm: 'soft',
  student: 'small',
  model: 'resnet8',
  seed: 1,
  dataset,
  training,
  objective: { softTargets: { temperature: 4, weight: 0.9 } },
};
const label = (max: number) => fc.stringMatching(new RegExp(`^[a-z0-9]([-a-z0-9]{0,${max - 2}}[a-z0-9])?$`));

describe('runName', () => {
  it('is readable', () => {
    expect(runName(experimentOf(), parameters)).toMatch(/^study-distilled-soft-small-s1-[0-9a-f]{10}$/);
    const scarce = { ...parameters, stage: 'scarcity' } as const;
    expect(runName(experimentOf(), scarce)).toMatch(/^study-scarcity-distilled-soft-small-s1-[0-9a-f]{10}$/);
  });

  it('is a DNS label of at most 63 characters whatever the lengths, and ends with seed and hash', () => {
    fc.assert(
      fc.property(
        label(63),
        label(30),
        label(30),
        fc.nat(2_147_483_647),
        fc.constantFrom('main', 'scarcity'),
        (name, arm, student, seed, stage) => {
          const text = runName(experimentOf({}, { name }), { ...parameters, arm, student, seed, stage });
          expect(text).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
          expect(text).toMatch(new RegExp(`-s${seed}-[0-9a-f]{10}$`));
        },
      ),
    );
  });

  it('differs where long names are cut to the same text', () => {
    const long = 'a'.repeat(29);
    const cut = (arm: string) => runName(experimentOf({}, { name: 'e'.repeat(63) }), { ...parameters, arm });
    expect(cut(`${long}b`)).not.toBe(cut(`${long}c`));
    const of = (name: string) => runName(experimentOf({}, { name }), parameters);
    expect(of(`${'e'.repeat(62)}1`)).not.toBe(of(`${'e'.repeat(62)}2`));
  });

  it('changes with every scientific parameter and the teacher of the spec, not with where the teacher was found', () => {
    const changes: readonly Partial<RunParameters>[] = [
      { model: 'vgg8' },
      { seed: 2 },
      { dataset: { ...dataset, fraction: 0.5 } },
      { training: { ...training, epochs: 3 } },
      { objective: { softTargets: { temperature: 5, weight: 0.9 } } },
    ];
    const all = changes.map((change) => runName(experimentOf(), { ...parameters, ...change }));
    const from = runName(experimentOf({ teacher: { from: { run: 'r' } } }), parameters);
    expect(new Set([...all, from, runName(experimentOf(), parameters)]).size).toBe(7);
    expect(runName(experimentOf(), { ...parameters, teacherRun: 'x', teacherNamespace: 'y' })).toBe(
      runName(experimentOf(), parameters),
    );
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of keys, at any depth', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: undefined, e: null })).toBe(
      '{"b":[{"c":2,"d":1}],"e":null}',
    );
    expect(canonicalJson({ x: { a: 1, b: 2 }, y: 3 })).toBe(canonicalJson({ y: 3, x: { b: 2, a: 1 } }));
  });
});
