import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/api/experiment.ts';
import type { RunParameters } from '../../../src/api/run.ts';
import { canonicalJson, runNamer } from '../../../src/plan/naming.ts';
import { wantedRuns } from '../../../src/plan/wanted.ts';
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

function runName(experiment: Experiment, { seed, ...treatment }: RunParameters): string {
  return runNamer(experiment)(treatment)(seed);
}

describe('the name of a Run', () => {
  // Runs that exist are found by their names: were these to change, everything would be trained again.
  it.each([
    [
      'of an Experiment with its own teacher',
      experimentOf({ seeds: [1, 2_147_483_647] }),
      [
        'study-teacher-s1-09b516308d',
        'study-baseline-small-s1-37c46e4c7c',
        'study-distilled-soft-small-s1-3932da7c8e',
        'study-distilled-attention-small-s1-d42da3c11c',
        'study-baseline-small-s2147483647-f71dde5af7',
        'study-distilled-soft-small-s2147483647-e6b3ef8de3',
        'study-distilled-attention-small-s2147483647-1b14a54987',
      ],
    ],
    [
      'of an Experiment with the teacher of another',
      experimentOf({ teacher: { from: { run: 'earlier' } }, seeds: [1] }),
      [
        'study-baseline-small-s1-37c46e4c7c',
        'study-distilled-soft-small-s1-696e4a669e',
        'study-distilled-attention-small-s1-56db87d87d',
      ],
    ],
    [
      'of an Experiment with long names',
      experimentOf(
        { seeds: [1], distillation: [{ name: 'a'.repeat(30), softTargets: {} }] },
        { name: `${'e'.repeat(20)}-${'f'.repeat(42)}` },
      ),
      [
        'eeeeeeeeeeeeeeeeeeee-ffffffffffffffffffff-teacher-s1-3a73b976e0',
        'eeeeeeeeeeeeeeeeeeee-fffffffffffff-baseline-small-s1-736b3375d8',
        'eeeeeeeeeeeeeeee-distilled-aaaaaaaaaaaaaaaa-small-s1-0c00751487',
      ],
    ],
  ])('%s stays what it is', (_, experiment, expected) => {
    expect(wantedRuns(experiment, []).runs.map(({ name }) => name)).toEqual(expected);
  });

  it('is made without writing out again what Runs share', () => {
    const readsWith = (students: number, seeds: number) => {
      let reads = 0;
      const counted = new Proxy(dataset, {
        ownKeys: (target) => {
          reads += 1;
          return Reflect.ownKeys(target);
        },
      });
      const experiment = experimentOf({
        students: Array.from({ length: students }, (_, index) => ({ name: `s${index}`, model: 'resnet8' })),
        seeds: Array.from({ length: seeds }, (_, index) => index),
      });
      const runs = wantedRuns({ ...experiment, spec: { ...experiment.spec, dataset: counted } }, []).runs;
      expect(runs).toHaveLength(1 + 3 * students * seeds);
      return reads;
    };
    expect(readsWith(5, 7)).toBe(readsWith(1, 1));
  });

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

  it('covers a file as the teacher once: as the spec describes it', () => {
    const fileNamed = (path: string) => ({ file: { path } });
    const given = (path: string) => experimentOf({ teacher: { from: { onnx: fileNamed(path) } } });
    const name = runName(given('a.onnx'), parameters);
    expect(runName(given('a.onnx'), { ...parameters, teacherOnnx: fileNamed('a.onnx') })).toBe(name);
    expect(runName(given('b.onnx'), parameters)).not.toBe(name);
  });
});

describe('canonicalJson', () => {
  it('is what JSON.stringify gives once all keys are sorted', () => {
    const sorted = (_key: string, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value;
    fc.assert(
      fc.property(fc.object({ key: fc.stringMatching(/^[a-zA-Z]\w*$/), maxDepth: 3 }), (value) => {
        expect(canonicalJson(value)).toBe(JSON.stringify(value, sorted));
      }),
    );
  });

  it('does not depend on the order of keys, at any depth', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: undefined, e: null })).toBe(
      '{"b":[{"c":2,"d":1}],"e":null}',
    );
    expect(canonicalJson({ x: { a: 1, b: 2 }, y: 3 })).toBe(canonicalJson({ y: 3, x: { b: 2, a: 1 } }));
  });
});
