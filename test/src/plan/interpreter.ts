import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Experiment, ExperimentStatus } from '../../../src/api/experiment.ts';
import type { Run, RunResult } from '../../../src/api/run.ts';
import { RunsMemory } from '../../../src/plan/blocks.ts';
import { hasEnded, holdsSlot, isActive, isAtRung, phaseOf } from '../../../src/plan/phases.ts';
import { type Observed, type Plan, plan } from '../../../src/plan/plan.ts';
import type { Memory } from '../../../src/plan/wanted.ts';
import { apply, countWrites, names, resultOf, shortName, step, withProgressing } from './world.ts';

/** Which Runs fail, and the accuracy of the others, as a function of the Run alone: whatever the order, the same. */
export type Outcomes = (run: Run) => RunResult | undefined;
export const outcomes: fc.Arbitrary<Outcomes> = fc
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
export type Event =
  | { readonly kind: 'plan'; readonly statusIsWritten: boolean }
  | { readonly kind: 'write' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'step'; readonly pick: number }
  | { readonly kind: 'block'; readonly pick: number }
  | { readonly kind: 'obstacle'; readonly obstacle: Observed['obstacle'] }
  | { readonly kind: 'edit'; readonly spec: Partial<Experiment['spec']> };

export const happening: fc.Arbitrary<Event> = fc.oneof(
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
export const pausing: fc.Arbitrary<Event> = fc.record({
  kind: fc.constant('edit'),
  spec: fc.oneof(
    fc.boolean().map((suspend) => ({ suspend })),
    fc.integer({ min: 1, max: 4 }).map((parallelism) => ({ parallelism })),
  ),
});

/** A pure interpreter of a planner, whose writes land one by one or never, and of the Runs' controller. */
export class World {
  experiment: Experiment;
  runs: readonly Run[] = [];
  obstacle: Observed['obstacle'];
  readonly seen = new Set<string>();
  readonly stopReasons = new Set<string>();
  readonly #outcomes: Outcomes;
  #pending: { readonly plan: Plan; written: number; readonly parallelism: number } | undefined;
  /** In small blocks, as there are few Runs. */
  readonly #memory: Memory = { runs: new RunsMemory(3) };
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
      if (countWrites(next) === 0 && this.runs.every((run) => hasEnded(run) || isAtRung(run)))
        return next.status;
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
function remaining({ create, stop, pause, start, promote, status }: Plan, written: number): Plan {
  const after = <T>(items: readonly T[], before: number) => items.slice(Math.max(0, written - before));
  return {
    create: after(create, 0),
    stop: after(stop, create.length),
    pause: after(pause, create.length + stop.length),
    start: after(start, create.length + stop.length + pause.length),
    promote: after(promote, create.length + stop.length + pause.length + start.length),
    status,
  };
}
