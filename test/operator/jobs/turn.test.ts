import { describe, expect, it } from 'vitest';
import type { Workload } from '../../../operator/jobs/objects.ts';
import { isBeforeTeacher, teacherInLine, untilTurn } from '../../../operator/jobs/turn.ts';
import type { RunPhase } from '../../../src/api/meta.ts';
import { queuedJob, runWith, type WorkloadConditions, workloadWith } from './world.ts';

const waits: WorkloadConditions = { QuotaReserved: ['False', 'Pending', 'insufficient unused quota'] };
const holds: WorkloadConditions = { QuotaReserved: ['True', 'QuotaReserved', 'Quota reserved'] };
const job = queuedJob({ suspend: true });
const made = (second: number, conditions = waits): Workload => {
  const { metadata, ...rest } = workloadWith(conditions);
  return { ...rest, metadata: { ...metadata, creationTimestamp: `2026-11-24T12:00:0${second}Z` } };
};
const teacher = (workload: Workload | undefined, knownFor = 10_000) => ({ job, workload, knownFor });

describe('the teacher that others wait for', () => {
  const teacherIn = (phase: RunPhase, suspend = false) =>
    runWith({ role: 'teacher', student: undefined }, { spec: { suspend }, status: { phase } });

  it('is the first that wants to train: of those that are tried some have ended, or wait at a rung', () => {
    const [failed, paused, waits] = [teacherIn('Failed'), teacherIn('Paused'), teacherIn('Queued')];
    expect(teacherInLine([failed, paused, teacherIn('Waiting', true), waits])).toBe(waits);
    expect(teacherInLine([failed, paused])).toBeUndefined();
  });
});

describe('a Run enters the queue', () => {
  it('at once, where no teacher is to go first', () => {
    expect(untilTurn(undefined)).toBe(0);
  });

  it('never before Kueue has made the Workload of its teacher', () => {
    expect(untilTurn(teacher(undefined, 0))).toBeUndefined();
    expect(untilTurn({ job: undefined, workload: undefined, knownFor: 0 })).toBeUndefined();
  });

  it('in a later second than its teacher, whatever the clocks say', () => {
    expect(untilTurn(teacher(made(1), 0))).toBe(1500);
    expect(untilTurn(teacher(made(1), 900))).toBe(600);
    expect(untilTurn(teacher(made(1), 1500))).toBe(0);
  });

  it('at once, when its teacher has its place', () => {
    expect(untilTurn(teacher(made(1, holds), 0))).toBe(0);
    expect(untilTurn({ job: queuedJob({ suspend: false }), workload: undefined, knownFor: 0 })).toBe(0);
  });
});

describe('a Run that waits leaves the queue for its teacher', () => {
  it('if both wait and it is not the younger', () => {
    expect(isBeforeTeacher(job, made(1), teacher(made(2)))).toBe(true);
    expect(isBeforeTeacher(job, made(2), teacher(made(2)))).toBe(true);
    expect(isBeforeTeacher(job, made(3), teacher(made(2)))).toBe(false);
  });

  it('not if one of them has its place, or Kueue has not seen one', () => {
    expect(isBeforeTeacher(job, made(1, holds), teacher(made(2)))).toBe(false);
    expect(isBeforeTeacher(job, made(1), teacher(made(2, holds)))).toBe(false);
    expect(isBeforeTeacher(queuedJob({ suspend: false }), made(1), teacher(made(2)))).toBe(false);
    expect(isBeforeTeacher(job, made(1), teacher(undefined))).toBe(false);
    expect(isBeforeTeacher(job, undefined, teacher(made(2)))).toBe(false);
    expect(isBeforeTeacher(job, made(1), undefined)).toBe(false);
  });
});
