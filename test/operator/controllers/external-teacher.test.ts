import { describe, expect, it } from 'vitest';
import { externalTeacher } from '../../../operator/controllers/external-teacher.ts';
import type { Experiment, Run } from '../../../operator/controllers/kinds.ts';
import type { RunStatus } from '../../../src/api/run.ts';
import { experimentWith, result, runWith } from '../jobs/world.ts';

const trainedBy = experimentWith({}, { name: 'teachers' });
const succeeded = { phase: 'Succeeded', result } as const;

function teacherRun(status: Partial<RunStatus> | undefined, namespace = 'lab'): Run {
  const run = runWith(
    { role: 'teacher', student: undefined, model: 'resnet56' },
    { spec: { experiment: 'teachers' }, ...(status ? { status } : {}) },
  );
  return { ...run, metadata: { ...run.metadata, name: 'teachers-teacher', namespace } };
}

function find(from: object, there: { run?: Run; experiment?: Experiment } = {}) {
  const asking = experimentWith({ teacher: { from } });
  const { run, experiment } = there;
  return externalTeacher(asking, {
    run: (key) => (run && key === `${run.metadata.namespace}/teachers-teacher` ? run : undefined),
    experiment: (key) =>
      experiment && key === `${experiment.metadata.namespace}/teachers` ? experiment : undefined,
    runsOf: () => (run ? [run] : []),
  });
}

const inHall = (spec: Record<string, unknown>) =>
  experimentWith(spec, { name: 'teachers', namespace: 'hall' });

const problem = (reason: string, message: string) => ({
  problem: { reason, message: expect.stringContaining(message) },
});

describe('the teacher of another Experiment', () => {
  it('is not looked for by an Experiment that trains its own', () => {
    const lookup = { run: () => undefined, experiment: () => undefined, runsOf: () => [] };
    expect(externalTeacher(experimentWith(), lookup)).toBeUndefined();
  });

  it('is not looked for by an Experiment that is given a file', () => {
    expect(find({ onnx: { file: { path: 'big.onnx' } } })).toBeUndefined();
  });

  it('is found by the name of its Run, or of its Experiment', () => {
    const teacher = { run: 'teachers-teacher', model: 'resnet56', result };
    const there = { run: teacherRun(succeeded), experiment: trainedBy };
    expect(find({ run: 'teachers-teacher' }, there)).toEqual(teacher);
    expect(find({ experiment: 'teachers' }, there)).toEqual(teacher);
    expect(find({ run: 'teachers-teacher', namespace: 'lab' }, there)).toEqual(teacher);
  });

  it('is found in another namespace, and named with it', () => {
    const there = { run: teacherRun(succeeded, 'hall'), experiment: inHall({ sharedWith: ['lab'] }) };
    expect(find({ run: 'teachers-teacher', namespace: 'hall' }, there)).toMatchObject({ namespace: 'hall' });
    expect(find({ experiment: 'teachers', namespace: 'hall' }, there)).toMatchObject({ namespace: 'hall' });
    expect(find({ run: 'teachers-teacher' }, there)).toEqual(
      problem('TeacherNotFound', 'there is no Run lab/teachers-teacher'),
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['with nobody', {}],
    ['with none', { sharedWith: [] }],
    ['with others', { sharedWith: ['team-a', 'laboratory'] }],
  ])('of another namespace that is shared %s is told from none by nothing', (_case, spec) => {
    const states = [
      succeeded,
      { phase: 'Running' },
      { phase: 'Failed', reason: 'OutOfMemory' },
      undefined,
    ] as const;
    const teachers = states.map((status) => teacherRun(status, 'hall'));
    const owners = [inHall(spec), inHall({ ...spec, teacher: { from: { run: 'x' } } })];
    for (const from of [{ run: 'teachers-teacher' }, { experiment: 'teachers' }]) {
      const asked = { ...from, namespace: 'hall' };
      const nothing = find(asked);
      const kind = 'run' in from ? 'Run hall/teachers-teacher' : 'Experiment hall/teachers';
      expect(nothing).toEqual(
        problem('TeacherNotFound', `there is no ${kind} that is shared with namespace lab.`),
      );
      for (const experiment of owners) {
        expect(find(asked, { experiment })).toEqual(nothing);
        for (const run of teachers) expect(find(asked, { experiment, run })).toEqual(nothing);
      }
      // A Run whose Experiment is gone has nobody who could share it.
      for (const run of teachers) expect(find(asked, { run })).toEqual(nothing);
    }
  });

  it('of another namespace may be shared with all', () => {
    const there = { run: teacherRun(succeeded, 'hall'), experiment: inHall({ sharedWith: ['*'] }) };
    expect(find({ experiment: 'teachers', namespace: 'hall' }, there)).toMatchObject({ namespace: 'hall' });
  });

  it('of another namespace is not shared by an Experiment that only has the name of its own', () => {
    const run = teacherRun(succeeded, 'hall');
    const owner = {
      apiVersion: 'destillml.io/v1alpha1',
      kind: 'Experiment',
      name: 'teachers',
      uid: 'gone',
      controller: true,
    };
    const orphaned = { ...run, metadata: { ...run.metadata, ownerReferences: [owner] } };
    const there = { run: orphaned, experiment: inHall({ sharedWith: ['lab'] }) };
    expect(find({ run: 'teachers-teacher', namespace: 'hall' }, there)).toEqual(
      problem('TeacherNotFound', 'there is no Run hall/teachers-teacher'),
    );
  });

  it('is waited for', () => {
    expect(find({ experiment: 'teachers' })).toEqual(
      problem('TeacherNotFound', 'there is no Experiment lab/teachers'),
    );
    expect(find({ experiment: 'teachers' }, { experiment: trainedBy })).toEqual(
      problem('TeacherUnfinished', 'Experiment lab/teachers has not begun to train its teacher'),
    );
    expect(find({ run: 'teachers-teacher' }, { run: teacherRun({ phase: 'Running' }) })).toEqual(
      problem('TeacherUnfinished', 'Run lab/teachers-teacher has not been trained to the end: Running.'),
    );
  });

  it('is not the teacher of an Experiment that has its own from elsewhere', () => {
    const experiment = experimentWith({ teacher: { from: { run: 'x' } } }, { name: 'teachers' });
    expect(find({ experiment: 'teachers' }, { experiment })).toEqual(
      problem('TeacherNotFound', 'Experiment lab/teachers trains no teacher itself'),
    );
  });

  it('is not an explanation', () => {
    const run = runWith({ role: 'explanation', stage: 'explanation' }, { status: { phase: 'Succeeded' } });
    const metadata = { ...run.metadata, name: 'teachers-teacher', namespace: 'lab' };
    expect(find({ run: 'teachers-teacher' }, { run: { ...run, metadata } })).toEqual(
      problem('TeacherNotFound', 'Run lab/teachers-teacher trains no network'),
    );
  });

  it('is no teacher if its training failed', () => {
    const failed = { phase: 'Failed', reason: 'TrainingDiverged', message: 'the loss is NaN.' } as const;
    expect(find({ run: 'teachers-teacher' }, { run: teacherRun(failed) })).toEqual(
      problem('TeacherFailed', 'Run lab/teachers-teacher ended Failed: TrainingDiverged: the loss is NaN.'),
    );
  });
});
