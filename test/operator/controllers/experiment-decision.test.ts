import { describe, expect, it } from 'vitest';
import { decideExperiment, type ExperimentScene } from '../../../operator/controllers/experiment-decision.ts';
import type { Experiment, Run } from '../../../operator/controllers/kinds.ts';
import { experimentWith, now, result } from '../jobs/world.ts';

const sceneOf = (scene: Partial<ExperimentScene>): ExperimentScene => ({
  experiment: experimentWith(),
  runs: [],
  teacher: undefined,
  queueProblem: undefined,
  now,
  ...scene,
});
const decide = (scene: Partial<ExperimentScene> = {}) => decideExperiment(sceneOf(scene));

/** All Runs, in this phase. */
function runsIn(phase: 'Running' | 'Succeeded', experiment: Experiment = experimentWith()): readonly Run[] {
  return (decide({ experiment }).runs?.create ?? []).map((run) => ({
    ...run,
    spec: { ...run.spec, suspend: false },
    status: { phase, conditions: [], ...(phase === 'Succeeded' ? { result } : {}) },
  }));
}

/** The Experiment with what is decided about it written down. */
function written(scene: Partial<ExperimentScene>): Experiment {
  const { experiment } = sceneOf(scene);
  const { status } = decide(scene);
  return { ...experiment, ...(status ? { status } : {}) };
}

const conditionsOf = (scene: Partial<ExperimentScene>) =>
  Object.fromEntries(
    (decide(scene).status?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );

describe('what an Experiment needs next', () => {
  it('is all of its Runs, and a status that says so', () => {
    const { runs, status, isNews, expired } = decide();
    expect(runs?.create.map(({ spec }) => [spec.parameters.role, spec.suspend])).toEqual([
      ['teacher', false],
      ['baseline', true],
      ['distilled', true],
    ]);
    expect(status).toMatchObject({ phase: 'Pending', runs: { Waiting: 3 } });
    expect([isNews, expired]).toEqual([true, false]);
  });

  it('is nothing once that is written down', () => {
    const scene = { experiment: experimentWith({ parallelism: 3 }), runs: runsIn('Running') };
    const again = decide({ ...scene, experiment: written(scene) });
    expect(again.status).toBeUndefined();
    expect(again.runs).toEqual({ create: [], stop: [], pause: [], start: [], promote: [] });
  });

  it('is no news if only the number of Runs in a phase has changed', () => {
    const experiment = written({ runs: runsIn('Running') });
    const [first, ...others] = runsIn('Running');
    const runs = [
      ...(first ? [{ ...first, status: { phase: 'Starting' as const, conditions: [] } }] : []),
      ...others,
    ];
    expect(decide({ experiment, runs })).toMatchObject({ isNews: false, status: { runs: { Starting: 1 } } });
    expect(decide({ experiment, runs: runsIn('Succeeded') }).isNews).toBe(true);
  });

  it('is nothing while it is being deleted', () => {
    const experiment = experimentWith({}, { deletionTimestamp: now.toISOString() });
    expect(decide({ experiment })).toEqual({
      expired: false,
      runs: undefined,
      status: undefined,
      isNews: false,
    });
  });

  it('is to wait for what stands in the way', () => {
    const queueProblem = { reason: 'LocalQueueNotFound', message: 'there is no such LocalQueue' };
    expect(conditionsOf({ queueProblem })).toMatchObject({
      PrerequisitesMet: 'False LocalQueueNotFound',
      Progressing: 'False LocalQueueNotFound',
    });
    expect(decide({ queueProblem }).runs?.create.every(({ spec }) => spec.suspend)).toBe(true);
    expect(conditionsOf({})).toMatchObject({ PrerequisitesMet: 'True Met' });
  });

  it('is spec.storage, if students are distilled from a teacher that it trains', () => {
    const { storage: _storage, ...spec } = experimentWith().spec;
    const without = (changes: Partial<Experiment['spec']>) => ({
      ...experimentWith(),
      spec: { ...spec, ...changes },
    });
    const blocked = { PrerequisitesMet: 'False StorageMissing' };
    expect(conditionsOf({ experiment: without({}) })).toMatchObject(blocked);
    expect(conditionsOf({ experiment: without({ distillation: [] }) })).not.toMatchObject(blocked);
    const teacher = { from: { run: 'another' } };
    expect(conditionsOf({ experiment: without({ teacher }), teacher: { run: 'another' } })).not.toMatchObject(
      blocked,
    );
  });

  it('is spec.storage, if networks are to be explained, before the first of them has ended', () => {
    const { storage: _storage, ...spec } = experimentWith({ distillation: [], explain: { images: 4 } }).spec;
    const experiment = { ...experimentWith(), spec };
    expect(conditionsOf({ experiment })).toMatchObject({ PrerequisitesMet: 'False StorageMissing' });
    // Nothing is left to be explained, and what is complete stays so.
    const runs = runsIn('Succeeded').filter((run) => run.spec.parameters.role !== 'distilled');
    expect(decide({ experiment, runs })).toMatchObject({
      runs: { create: [] },
      status: { phase: 'Complete' },
    });
  });

  it('is its end, once spec.ttlSecondsAfterFinished is over', () => {
    const experiment = experimentWith({ ttlSecondsAfterFinished: 60 });
    const scene = {
      experiment: written({ experiment, runs: runsIn('Succeeded') }),
      runs: runsIn('Succeeded'),
    };
    const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
    const at = Math.floor(now.getTime() / 1000) * 1000 - now.getTime();
    expect(decide(scene)).toMatchObject({ expired: false, requeueAfter: 60_000 + at });
    expect(decide({ ...scene, now: later(59) })).toMatchObject({ expired: false, requeueAfter: 1_000 + at });
    expect(decide({ ...scene, now: later(60) })).toMatchObject({
      expired: true,
      runs: undefined,
      status: undefined,
    });
    expect(decide({ experiment, runs: runsIn('Running'), now: later(600) }).expired).toBe(false);
  });
});
