import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/api/experiment.ts';
import { isActive } from '../../../src/plan/phases.ts';
import { plan } from '../../../src/plan/plan.ts';
import { happening, type Outcomes, outcomes, pausing, World } from './interpreter.ts';
import { apply, experimentOf, names } from './world.ts';

const scarcity = { student: { model: 'resnet14' }, fraction: 0.1 };
const explain = { images: 4 };
const firstArms: readonly object[] = [
  { name: 'soft', softTargets: {} },
  { name: 'attention', attentionTransfer: {} },
];
const firstStudents = [{ name: 'small', model: 'resnet8' }];

function undisturbed(experiment: Experiment, of: Outcomes): World {
  const world = new World(experiment, of);
  world.settle();
  return world;
}

const sortedNames = (world: World) => names(world.runs).toSorted();
const notTeachers = (world: World) =>
  names(world.runs.filter((run) => run.spec.parameters.role !== 'teacher')).toSorted();

describe('the plan, for any order of completions, failures, crashes and half-written plans', {
  timeout: 300_000,
}, () => {
  it('makes the same Runs, none twice, none lost, within parallelism, and leaves nothing active', () => {
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 120 }),
        outcomes,
        fc.integer({ min: 1, max: 5 }),
        (events, of, parallelism) => {
          const experiment = experimentOf({ parallelism, scarcity, explain });
          const world = new World(experiment, of);
          for (const event of events) world.happens(event);
          const status = world.settle();

          expect(sortedNames(world)).toEqual(sortedNames(undisturbed(experiment, of)));
          expect(new Set(names(world.runs)).size).toBe(world.runs.length);
          expect(world.seen.size).toBe(world.runs.length);
          expect(world.runs.some(isActive)).toBe(false);
          expect(['Complete', 'Failed']).toContain(status.phase);
          expect([...world.stopReasons].filter((reason) => reason !== 'TeacherFailed')).toEqual([]);
        },
      ),
      { numRuns: 120 },
    );
  });

  it('makes the same Runs when paused, resumed and given more or less parallelism on the way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 12, arbitrary: happening }, { weight: 1, arbitrary: pausing }), {
          maxLength: 120,
        }),
        outcomes,
        (events, of) => {
          const experiment = experimentOf({ parallelism: 3, scarcity, explain });
          const world = new World(experiment, of);
          for (const event of events) world.happens(event);
          world.happens({ kind: 'edit', spec: { suspend: false, parallelism: 2 } });
          world.settle();
          expect(sortedNames(world)).toEqual(sortedNames(undisturbed(experiment, of)));
          expect([...world.stopReasons].filter((reason) => reason !== 'TeacherFailed')).toEqual([]);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('only adds Runs when arms, students and seeds are added on the way, wherever in their lists', () => {
    const insert = <T>(list: readonly T[], item: T, at: number) =>
      list.toSpliced(at % (list.length + 1), 0, item);
    const full = { parallelism: 3 };
    const additions = fc.record({
      distillation: fc.option(fc.nat().map((at) => insert(firstArms, { name: 'hints', hints: {} }, at))),
      students: fc.option(fc.nat().map((at) => insert(firstStudents, { name: 'other', model: 'vgg8' }, at))),
      seeds: fc.option(fc.nat().map((at) => insert([1, 2], 3, at))),
    });
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 80 }),
        additions,
        fc.array(happening, { maxLength: 40 }),
        outcomes,
        (before, added, after, of) => {
          const changes = Object.fromEntries(Object.entries(added).filter(([, value]) => value !== null));
          const extended = experimentOf({ ...full, ...changes });
          const world = new World(experimentOf(full), of);
          for (const event of before) world.happens(event);
          const existing = names(world.runs);
          world.happens({ kind: 'edit', spec: extended.spec });
          for (const event of after) world.happens(event);
          world.settle();

          expect(names(world.runs)).toEqual(expect.arrayContaining([...existing]));
          expect(notTeachers(world)).toEqual(notTeachers(undisturbed(extended, of)));
          expect(world.runs.filter((run) => run.spec.parameters.role === 'teacher')).toHaveLength(1);
          expect([...world.stopReasons].filter((reason) => reason !== 'TeacherFailed')).toEqual([]);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('has nothing left to do once it is carried out, and reports an equal status', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 120 }), outcomes, (events, of) => {
        const world = new World(experimentOf({ parallelism: 3, scarcity, explain }), of);
        for (const event of events) world.happens(event);
        const first = plan({
          experiment: world.experiment,
          runs: world.runs,
          obstacle: world.obstacle,
          now: new Date('2026-05-01T00:00:00Z'),
        });
        const again = plan({
          experiment: { ...world.experiment, status: first.status },
          runs: apply(world.runs, first),
          obstacle: world.obstacle,
          now: new Date('2026-05-02T00:00:00Z'),
        });
        expect(again).toEqual({
          create: [],
          stop: [],
          pause: [],
          start: [],
          promote: [],
          status: first.status,
        });
      }),
      { numRuns: 80 },
    );
  });
});
