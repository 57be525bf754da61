import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/api/experiment.ts';
import type { Run } from '../../../src/api/run.ts';
import { RunsMemory } from '../../../src/plan/blocks.ts';
import { hasEnded, isActive, isAtRung } from '../../../src/plan/phases.ts';
import { plan } from '../../../src/plan/plan.ts';
import type { Memory } from '../../../src/plan/wanted.ts';
import { type Event, happening, outcomes, pausing, World } from './interpreter.ts';
import { apply, countWrites, experimentOf, names } from './world.ts';

const maxRuns = 7;

const algorithms = fc.constantFrom(
  { random: {} },
  { grid: {} },
  { sobol: {} },
  { tpe: { startup: 3 } },
  { asha: { minEpochs: 10, eta: 3, sampler: 'random' } },
  { asha: { minEpochs: 10, eta: 3, brackets: 2, sampler: 'tpe' } },
);

/** Studies of two arms, or of baseline and arms, and what may end them early. */
const sweeps = fc
  .record({
    for: fc.constantFrom('distilled', 'comparison', 'students', 'teacher'),
    algorithm: algorithms,
    goal: fc.option(fc.double({ min: 0.3, max: 1, noNaN: true }), { nil: undefined }),
    maxFailedRuns: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    median: fc.boolean(),
  })
  .map(({ goal, maxFailedRuns, median, ...sweep }) => ({
    ...sweep,
    maxRuns,
    objective: goal === undefined ? {} : { goal },
    ...(maxFailedRuns === undefined ? {} : { maxFailedRuns }),
    ...(median ? { earlyStopping: { median: { startEpoch: 5, minRuns: 2 } } } : {}),
    parameters: [
      { name: 'training.optimizer.learningRate', discrete: [0.1, 0.2, 0.4] },
      { name: 'training.batchSize', discrete: [32, 64, 128] },
    ],
  }));

const experimentWith = (sweep: object, parallelism = 3): Experiment =>
  experimentOf({ training: { epochs: 90 }, parallelism, sweep });

const trialsOf = (runs: readonly Run[]) => runs.filter(({ spec }) => spec.trial !== undefined);

/** What must hold of the Runs at any time. */
function expectSound(runs: readonly Run[]): void {
  expect(new Set(names(runs)).size).toBe(runs.length);
  for (const [study, own] of Map.groupBy(trialsOf(runs), ({ spec }) => spec.trial?.study)) {
    const numbers = own.map(({ spec }) => spec.trial?.number);
    expect(new Set(numbers).size, study).toBe(numbers.length);
    expect(Math.max(...numbers.map(Number)), study).toBeLessThanOrEqual(maxRuns);
    for (const { spec, status } of own) {
      const epochs = (status?.rungs ?? []).map(({ epoch }) => epoch);
      expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b));
      expect(epochs.at(-1) ?? 0).toBeLessThanOrEqual(spec.untilEpoch ?? 90);
    }
  }
}

describe('the studies of a sweep, for any order of reports, ends, crashes and half-written plans', {
  timeout: 300_000,
}, () => {
  const events = fc.array(fc.oneof({ weight: 12, arbitrary: happening }, { weight: 1, arbitrary: pausing }), {
    maxLength: 150,
  });

  it('keep within maxRuns and parallelism, lose no rung, make no twin, and end', () => {
    fc.assert(
      fc.property(events, outcomes, sweeps, (happened, of, sweep) => {
        const world = new World(experimentWith(sweep), of);
        const known = new Map<string, Run>();
        const look = () => {
          expectSound(world.runs);
          for (const run of trialsOf(world.runs)) {
            const before = known.get(run.metadata.name);
            expect(run.spec.trial).toEqual(before?.spec.trial ?? run.spec.trial);
            expect(run.spec.untilEpoch ?? 90).toBeGreaterThanOrEqual(before?.spec.untilEpoch ?? 0);
            expect(run.status?.rungs ?? []).toEqual(
              expect.arrayContaining([...(before?.status?.rungs ?? [])]),
            );
            known.set(run.metadata.name, run);
          }
          for (const name of known.keys()) expect(names(world.runs)).toContain(name);
        };
        for (const event of happened) {
          world.happens(event);
          look();
        }
        world.happens({ kind: 'edit', spec: { suspend: false, parallelism: 2 } });
        const status = world.settle();
        look();

        expect(['Complete', 'Failed']).toContain(status.phase);
        expect(world.runs.some(isActive)).toBe(false);
        expect(world.runs.every((run) => hasEnded(run) || isAtRung(run))).toBe(true);
        for (const study of status.studies ?? []) expect(['Ended', 'Failed']).toContain(study.state);
      }),
      { numRuns: 150 },
    );
  });

  it('have nothing left to do once it is carried out, and report an equal status', () => {
    fc.assert(
      fc.property(events, outcomes, sweeps, (happened, of, sweep) => {
        const world = new World(experimentWith(sweep), of);
        for (const event of happened) world.happens(event);
        const { experiment, runs, obstacle } = world;
        const first = plan({ experiment, runs, obstacle, now: new Date('2026-05-01T00:00:00Z') });
        const again = plan({
          experiment: { ...experiment, status: first.status },
          runs: apply(runs, first),
          obstacle,
          now: new Date('2026-05-02T00:00:00Z'),
        });
        expect(countWrites(again)).toBe(0);
        expect(again.status).toEqual(first.status);
      }),
      { numRuns: 100 },
    );
  });

  it('are the same for another leader, who saw less: under a number there is one Run', () => {
    fc.assert(
      fc.property(events, outcomes, sweeps, fc.nat(), (happened, of, sweep, cut) => {
        const world = new World(experimentWith(sweep), of);
        for (const event of happened) world.happens(event);
        const { experiment, runs } = world;
        const stale = runs.slice(0, cut % (runs.length + 1));
        const now = new Date('2026-05-01T00:00:00Z');
        const there = new Set(names(runs));
        const made = plan({ experiment, runs: stale, now }).create.filter(
          ({ metadata }) => !there.has(metadata.name),
        );
        expectSound([...runs, ...made]);
      }),
      { numRuns: 100 },
    );
  });

  it('come to the same from what is remembered of blocks as from scratch, in whatever order Runs come and go', () => {
    const looks = fc.array(fc.record({ from: fc.nat(20), without: fc.nat(20), isTurned: fc.boolean() }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(events, outcomes, sweeps, looks, (happened, of, sweep, turns) => {
        const world = new World(experimentWith(sweep), of);
        const memory: Memory = { runs: new RunsMemory(2) };
        const now = new Date('2026-05-01T00:00:00Z');
        const look = (runs: readonly Run[]) => {
          const { experiment, obstacle } = world;
          const seen = { experiment, runs, obstacle, now };
          expect(plan(seen, memory)).toEqual(plan(seen));
        };
        for (const [index, event] of happened.entries()) {
          world.happens(event);
          look(world.runs);
          const turn = turns[index % Math.max(1, turns.length)];
          if (turn === undefined) continue;
          const { from, without, isTurned } = turn;
          const moved = [...world.runs.slice(from), ...world.runs.slice(0, from)];
          look((isTurned ? moved.toReversed() : moved).filter((_, place) => place !== without));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('open again with more Runs, and end again with the Runs that there were', () => {
    fc.assert(
      fc.property(outcomes, sweeps, (of, sweep) => {
        const world = new World(experimentWith({ ...sweep, maxRuns: 4 }), of);
        world.settle();
        const before = trialsOf(world.runs);
        const more = experimentWith(sweep).spec.sweep;
        world.happens({ kind: 'edit', spec: more === undefined ? {} : { sweep: more } } satisfies Event);
        world.settle();
        const after = new Map(world.runs.map((run) => [run.metadata.name, run]));
        for (const run of before) expect(after.get(run.metadata.name)?.spec.trial).toEqual(run.spec.trial);
      }),
      { numRuns: 60 },
    );
  });
});
