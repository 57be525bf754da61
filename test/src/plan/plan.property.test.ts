import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Experiment, ExperimentStatus } from '../../../src/api/experiment.ts';
import type { Run, RunResult } from '../../../src/api/run.ts';
import { hasEnded, holdsSlot, isActive, phaseOf } from '../../../src/plan/phases.ts';
import { type Observed, type Plan, plan } from '../../../src/plan/plan.ts';
import type { Memory } from '../../../src/plan/wanted.ts';
import {
  apply,
  countWrites,
  experimentOf,
  names,
  resultOf,
  shortName,
  step,
  withProgressing,
} from './world.ts';

const scarcity = { student: { model: 'resnet14' }, fraction: 0.1 };
const explain = { images: 4 };
const firstArms: readonly object[] = [
  { name: 'soft', softTargets: {} },
  { name: 'attention', attentionTransfer: {} },
];
const firstStudents = [{ name: 'small', model: 'resnet8' }];

/** Which Runs fail, and the accuracy of the others, as a function of the Run alone: whatever the order, the same. */
type Outcomes = (run: Run) => RunResult | undefined;
const outcomes: fc.Arbitrary<Outcomes> = fc
  .record({ salt: fc.nat(), failing: fc.constantFrom(0, 0.2, 0.6, 1) })
  .map(({ salt, failing }) => (run) => {
    const random = (what: string) =>
      createHash('sha256')
        .update(`${what}${salt}${shortName(run)}`)
        .digest()
        .readUInt32BE() /
      2 ** 32;
    return random('fails') < failing ? undefined : resultOf(random('accuracy'));
  });

/** What may happen next, in any order. Runs are picked by a number modulo how many there are. */
type Event =
  | { readonly kind: 'plan'; readonly statusIsWritten: boolean }
  | { readonly kind: 'write' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'step'; readonly pick: number }
  | { readonly kind: 'block'; readonly pick: number }
  | { readonly kind: 'obstacle'; readonly obstacle: Observed['obstacle'] }
  | { readonly kind: 'edit'; readonly spec: Partial<Experiment['spec']> };

const happening: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('plan'), statusIsWritten: fc.boolean() }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('write') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash') }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('step'), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('block'), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('obstacle'),
      obstacle: fc.constantFrom(undefined, null, { reason: 'QueueMissing', message: 'There is no queue.' }),
    }),
  },
);
const pausing: fc.Arbitrary<Event> = fc.record({
  kind: fc.constant('edit'),
  spec: fc.oneof(
    fc.boolean().map((suspend) => ({ suspend })),
    fc.integer({ min: 1, max: 4 }).map((parallelism) => ({ parallelism })),
  ),
});

/** A pure interpreter of a planner, whose writes land one by one or never, and of the Runs' controller. */
class World {
  experiment: Experiment;
  runs: readonly Run[] = [];
  obstacle: Observed['obstacle'];
  readonly seen = new Set<string>();
  readonly stopReasons = new Set<string>();
  readonly #outcomes: Outcomes;
  #pending: { readonly plan: Plan; written: number; readonly parallelism: number } | undefined;
  readonly #memory: Memory = {};
  #minutes = 0;

  constructor(experiment: Experiment, outcomes: Outcomes) {
    this.experiment = experiment;
    this.#outcomes = outcomes;
  }

  happens(event: Event): void {
    switch (event.kind) {
      case 'plan': {
        const next = this.#plan();
        this.#pending = { plan: next, written: 0, parallelism: this.experiment.spec.parallelism };
        if (event.statusIsWritten) this.#report(next.status);
        return;
      }
      case 'write':
        this.#write();
        return;
      case 'crash':
        this.#pending = undefined;
        return;
      case 'step': {
        const chosen = this.runs[event.pick % this.runs.length];
        this.#step((run) => run === chosen);
        return;
      }
      case 'block': {
        const chosen = this.runs[event.pick % this.runs.length];
        this.runs = this.runs.map((run) =>
          run === chosen && isActive(run)
            ? withProgressing(run, 'False', 'ImageUnavailable', 'Its image cannot be pulled.')
            : run,
        );
        return;
      }
      case 'obstacle':
        this.obstacle = event.obstacle;
        return;
      case 'edit':
        this.experiment = edited(this.experiment, event.spec);
        return;
    }
  }

  /** Lets everything go on undisturbed until nothing changes any more. */
  settle(): ExperimentStatus {
    this.#pending = undefined;
    this.obstacle = null;
    for (let round = 0; round < 500; round++) {
      const before = this.runs;
      const next = this.#plan();
      this.#report(next.status);
      if (countWrites(next) === 0 && this.runs.every(hasEnded)) return next.status;
      this.#pending = { plan: next, written: 0, parallelism: this.experiment.spec.parallelism };
      while (this.#pending) this.#write();
      this.#step(() => true);
      expect(this.runs, 'something must move').not.toEqual(before);
    }
    throw new Error('The Experiment does not end.');
  }

  #plan(): Plan {
    this.#minutes++;
    const { experiment, runs, obstacle } = this;
    const world = { experiment, runs, obstacle, now: this.#time() };
    const next = plan(world, this.#memory);
    expect(plan(world), 'whatever is remembered').toEqual(next);
    if (obstacle) expect([...next.start, ...next.create.filter(isActive)]).toEqual([]);
    return next;
  }

  #write(): void {
    if (!this.#pending) return;
    const { plan: current, written, parallelism } = this.#pending;
    const held = this.runs.filter(holdsSlot).length;
    this.runs = apply(this.runs, remaining(current, written), 1);
    this.#pending =
      written + 1 < countWrites(current) ? { plan: current, written: written + 1, parallelism } : undefined;
    expect(this.runs.filter(holdsSlot).length).toBeLessThanOrEqual(Math.max(parallelism, held));
    const hasTeacher = this.runs.some(
      (run) => run.spec.parameters.role === 'teacher' && phaseOf(run) === 'Succeeded',
    );
    const started = this.runs.filter(isActive).map((run) => run.spec.parameters.role);
    if (!hasTeacher) expect(started).not.toContain('distilled');
    for (const name of names(this.runs)) this.seen.add(name);
    for (const { reason } of current.stop) this.stopReasons.add(reason);
  }

  #step(chosen: (run: Run) => boolean): void {
    const held = this.runs.filter(holdsSlot).length;
    this.runs = this.runs.map((run) =>
      chosen(run) ? step(run, this.#outcomes, this.#time().toISOString()) : run,
    );
    expect(this.runs.filter(holdsSlot).length).toBeLessThanOrEqual(held);
  }

  #report(status: ExperimentStatus): void {
    this.experiment = { ...this.experiment, status };
  }

  #time(): Date {
    return new Date(Date.UTC(2026, 0, 1, 0, this.#minutes));
  }
}

/** As the API server counts it. */
function edited({ metadata, spec, ...rest }: Experiment, changes: Partial<Experiment['spec']>): Experiment {
  const generation = (metadata.generation ?? 0) + 1;
  return { ...rest, metadata: { ...metadata, generation }, spec: { ...spec, ...changes } };
}

/** The plan without its first writes. */
function remaining({ create, stop, pause, start, status }: Plan, written: number): Plan {
  const after = <T>(items: readonly T[], before: number) => items.slice(Math.max(0, written - before));
  return {
    create: after(create, 0),
    stop: after(stop, create.length),
    pause: after(pause, create.length + stop.length),
    start: after(start, create.length + stop.length + pause.length),
    status,
  };
}

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
        expect(again).toEqual({ create: [], stop: [], pause: [], start: [], status: first.status });
      }),
      { numRuns: 80 },
    );
  });
});
