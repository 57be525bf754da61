import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/api/experiment.ts';
import type { RunPhase } from '../../../src/api/meta.ts';
import { type Run, run as runSchema } from '../../../src/api/run.ts';
import { type Plan, plan } from '../../../src/plan/plan.ts';
import type { ExternalTeacher } from '../../../src/plan/teacher.ts';
import { summarise } from '../../../src/results/summary.ts';
import {
  apply,
  countWrites,
  experimentOf,
  later,
  names,
  now,
  report,
  resultOf,
  shortName,
  withProgressing,
  withStatus,
} from './world.ts';

/** Those of the Runs a plan creates that train at once. */
function createdStarted({ create }: Plan): readonly string[] {
  return create.filter(({ spec }) => !spec.suspend).map(shortName);
}

/** The Runs of an Experiment after the first plan, which all have started that may. */
function begin(experiment: Experiment, teacher?: ExternalTeacher): readonly Run[] {
  return apply([], plan({ experiment, runs: [], now, ...(teacher ? { teacher } : {}) }));
}

function succeedAll(runs: readonly Run[], accuracy: (run: Run) => number = () => 0.9): readonly Run[] {
  return report(runs, (run) => ({ phase: 'Succeeded', result: resultOf(accuracy(run)) }));
}

function shortNames(runs: readonly Run[], of: readonly string[]): readonly string[] {
  return of.map((name) => shortName(runs.find(({ metadata }) => metadata.name === name)!));
}

function condition(status: Experiment['status'], type: string) {
  const found = status?.conditions.find((candidate) => candidate.type === type);
  return found ? [found.status, found.reason, found.message] : undefined;
}

const teacherIs = (phase: RunPhase) => (run: Run) =>
  run.spec.parameters.role === 'teacher' ? { phase, result: resultOf(0.95) } : undefined;

describe('the Runs of an Experiment', () => {
  it('are a teacher, and per seed and student a baseline and every arm, in starting order', () => {
    const experiment = experimentOf({
      students: [
        { name: 'small', model: 'resnet8' },
        { name: 'large', model: 'resnet20' },
      ],
    });
    const { create } = plan({ experiment, runs: [], now });
    expect(create.map(shortName)).toEqual([
      'teacher/1',
      'baseline/small/1',
      'soft/small/1',
      'attention/small/1',
      'baseline/large/1',
      'soft/large/1',
      'attention/large/1',
      'baseline/small/2',
      'soft/small/2',
      'attention/small/2',
      'baseline/large/2',
      'soft/large/2',
      'attention/large/2',
    ]);
  });

  it('are valid, owned by the Experiment and labelled', () => {
    const { create } = plan({ experiment: experimentOf(), runs: [], now });
    for (const run of create) expect(runSchema.parse(run)).toEqual(run);
    expect(create[2]?.metadata).toEqual({
      name: expect.stringMatching(/^study-distilled-soft-small-s1-[0-9a-f]{10}$/),
      namespace: 'lab',
      labels: {
        'app.kubernetes.io/name': 'destillml',
        'app.kubernetes.io/instance': 'study',
        'app.kubernetes.io/component': 'distilled',
        'app.kubernetes.io/part-of': 'destillml',
        'app.kubernetes.io/managed-by': 'destillml',
        'destillml.io/experiment': 'study',
        'destillml.io/stage': 'main',
        'destillml.io/role': 'distilled',
        'destillml.io/arm': 'soft',
        'destillml.io/student': 'small',
        'destillml.io/seed': '1',
      },
      ownerReferences: [
        {
          apiVersion: 'destillml.io/v1alpha1',
          kind: 'Experiment',
          name: 'study',
          uid: 'uid-1',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
  });

  it('have no owner where the Experiment has no uid', () => {
    const { create } = plan({ experiment: experimentOf({}, { uid: undefined }), runs: [], now });
    expect(create[0]?.metadata).not.toHaveProperty('ownerReferences');
  });

  it('share one scheme, except that distilled students use no label smoothing and know their teacher', () => {
    const experiment = experimentOf({ training: { epochs: 7, labelSmoothing: 0.2 } });
    const [teacher, baseline, soft] = plan({ experiment, runs: [], now }).create;
    expect(teacher?.spec.parameters).toEqual({
      role: 'teacher',
      stage: 'main',
      model: 'resnet56',
      seed: 1,
      dataset: experiment.spec.dataset,
      training: experiment.spec.training,
    });
    expect(baseline?.spec.parameters).toEqual({
      role: 'baseline',
      stage: 'main',
      student: 'small',
      model: 'resnet8',
      seed: 1,
      dataset: experiment.spec.dataset,
      training: experiment.spec.training,
    });
    expect(soft?.spec.parameters).toEqual({
      ...baseline?.spec.parameters,
      role: 'distilled',
      arm: 'soft',
      training: { ...experiment.spec.training, labelSmoothing: 0 },
      objective: { softTargets: { temperature: 4, weight: 0.9 } },
      teacherRun: teacher?.metadata.name,
    });
  });

  it('are created again when someone deleted them', () => {
    const experiment = experimentOf();
    const runs = succeedAll(begin(experiment));
    const { create, status } = plan({ experiment, runs: runs.slice(1), now });
    expect(create.map(shortName)).toEqual(['teacher/1']);
    expect(status.phase).toBe('Running');
  });

  it('that are being deleted are gone before they are created again, and the Experiment waits for them', () => {
    const experiment = experimentOf();
    const runs = succeedAll(begin(experiment)).map((run, index) =>
      index === 0
        ? { ...run, metadata: { ...run.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } }
        : run,
    );
    const next = plan({ experiment, runs, now });
    expect(next).toMatchObject({ create: [], start: [], stop: [], pause: [] });
    expect(next.status.phase).toBe('Running');
  });

  it('are left alone while the Experiment is being deleted', () => {
    const experiment = experimentOf({}, { deletionTimestamp: '2026-03-01T12:00:00Z' });
    expect(plan({ experiment, runs: [], now })).toMatchObject({ create: [], start: [], stop: [], pause: [] });
  });

  it('do not include those of other Experiments', () => {
    const others = begin(experimentOf({}, { name: 'other' }));
    const { stop, create } = plan({ experiment: experimentOf(), runs: others, now });
    expect(stop).toEqual([]);
    expect(create).toHaveLength(7);
  });
});

describe('a change of the spec', () => {
  it.each([
    ['an arm', { distillation: [{ name: 'hints', hints: {} }, ...experimentOf().spec.distillation] }, 2],
    ['a student', { students: [{ name: 'other', model: 'vgg8' }, ...experimentOf().spec.students] }, 6],
    ['a seed', { seeds: [9, 1, 2] }, 3],
  ])('that adds %s creates its Runs only', (_, change, added) => {
    const runs = begin(experimentOf());
    const { create, stop, pause } = plan({ experiment: experimentOf(change), runs, now });
    expect(create).toHaveLength(added);
    expect(create.every(({ spec }) => spec.parameters.role !== 'teacher')).toBe(true);
    expect(new Set([...names(create), ...names(runs)]).size).toBe(runs.length + added);
    expect({ stop, pause }).toEqual({ stop: [], pause: [] });
  });

  it('that removes an arm stops its unfinished Runs and leaves finished ones', () => {
    const before = begin(experimentOf());
    const runs = report(before, (run) =>
      shortName(run) === 'soft/small/1' ? { phase: 'Succeeded', result: resultOf(0.9) } : undefined,
    );
    const experiment = experimentOf({ distillation: [{ name: 'attention', attentionTransfer: {} }] });
    const { stop } = plan({ experiment, runs, now });
    expect(stop).toEqual([
      {
        name: before.find((run) => shortName(run) === 'soft/small/2')?.metadata.name,
        reason: 'NoLongerWanted',
        message: expect.stringContaining('no longer asks for this Run'),
      },
    ]);
    const stopped = apply(runs, plan({ experiment, runs, now }));
    expect(plan({ experiment, runs: stopped, now }).stop).toEqual([]);
  });

  it('of a weight makes new Runs of that arm and stops the old ones', () => {
    const runs = begin(experimentOf());
    const experiment = experimentOf({
      distillation: [
        { name: 'soft', softTargets: { temperature: 8 } },
        { name: 'attention', attentionTransfer: {} },
      ],
    });
    const { create, stop } = plan({ experiment, runs, now });
    expect(create.map(shortName)).toEqual(['soft/small/1', 'soft/small/2']);
    expect(
      shortNames(
        runs,
        stop.map(({ name }) => name),
      ).toSorted(),
    ).toEqual(['soft/small/1', 'soft/small/2']);
  });
});

describe('the teacher', () => {
  it('is not waited for by baselines', () => {
    const experiment = experimentOf();
    const next = plan({ experiment, runs: [], now });
    expect(createdStarted(next)).toEqual(['teacher/1', 'baseline/small/1', 'baseline/small/2']);
  });

  it('lets distilled Runs start once it has succeeded', () => {
    const experiment = experimentOf();
    const runs = report(begin(experiment), teacherIs('Succeeded'));
    const { start } = plan({ experiment, runs, now });
    expect(shortNames(runs, start)).toEqual([
      'soft/small/1',
      'attention/small/1',
      'soft/small/2',
      'attention/small/2',
    ]);
  });

  it.each(['Failed', 'Stopped'] as const)(
    'that ends %s has its students skipped, and baselines go on',
    (phase) => {
      const experiment = experimentOf();
      const runs = report(begin(experiment), (run) =>
        run.spec.parameters.role === 'teacher'
          ? { phase, reason: 'TrainingDiverged', message: 'NaN.' }
          : undefined,
      );
      const { stop, pause, status } = plan({ experiment, runs, now });
      expect(
        shortNames(
          runs,
          stop.map(({ name }) => name),
        ),
      ).toEqual(['soft/small/1', 'attention/small/1', 'soft/small/2', 'attention/small/2']);
      expect(stop[0]).toMatchObject({
        reason: 'TeacherFailed',
        message: `Run ${runs[0]?.metadata.name}, the teacher, ended ${phase}: TrainingDiverged: NaN.`,
      });
      expect(pause).toEqual([]);
      expect(condition(status, 'TeacherReady')?.slice(0, 2)).toEqual(['False', 'TeacherFailed']);
    },
  );

  it('that has failed has students added later created as stopped', () => {
    const runs = report(begin(experimentOf()), teacherIs('Failed'));
    const experiment = experimentOf({ seeds: [1, 2, 3] });
    const { create } = plan({ experiment, runs, now });
    expect(create.map((run) => [shortName(run), run.spec.suspend, run.spec.stop?.reason])).toEqual([
      ['baseline/small/3', false, undefined],
      ['soft/small/3', true, 'TeacherFailed'],
      ['attention/small/3', true, 'TeacherFailed'],
    ]);
  });

  it('in a file is told to distilled Runs, which start at once', () => {
    const onnx = { s3: { bucket: 'networks', key: 'big.onnx', secretName: 'key' }, features: ['layer1'] };
    const experiment = experimentOf({ teacher: { from: { onnx } }, seeds: [1] });
    const { create, status } = plan({ experiment, runs: [], now });
    expect(create.map(shortName)).toEqual(['baseline/small/1', 'soft/small/1', 'attention/small/1']);
    expect(create.filter(({ spec }) => spec.suspend)).toEqual([]);
    expect(create.map(({ spec: { parameters } }) => parameters.teacherOnnx)).toEqual([
      undefined,
      experiment.spec.teacher.from?.onnx,
      experiment.spec.teacher.from?.onnx,
    ]);
    expect(create[1]?.spec.parameters).not.toHaveProperty('teacherRun');
    expect(status.conditions.find(({ type }) => type === 'TeacherReady')).toMatchObject({
      status: 'True',
      reason: 'TeacherGiven',
      message: 'The file s3://networks/big.onnx is the teacher.',
    });
    // Nothing is known of its accuracy; the gain over the baseline is.
    const runs = report(apply([], plan({ experiment, runs: [], now })), (run) => ({
      phase: 'Succeeded',
      result: resultOf(run.spec.parameters.role === 'baseline' ? 0.8 : 0.9),
    }));
    const done = plan({ experiment, runs, now }).status;
    expect(done).toMatchObject({ phase: 'Complete', baselineAccuracy: { mean: 0.8 } });
    expect(done.best?.testAccuracy.mean).toBe(0.9);
    expect(done).not.toHaveProperty('teacherAccuracy');
    expect(summarise(experiment, runs).rows.map(({ gain, gapClosed }) => [gain?.mean, gapClosed])).toEqual([
      [undefined, undefined],
      [expect.closeTo(0.1), undefined],
      [expect.closeTo(0.1), undefined],
    ]);
  });

  describe('of another Experiment', () => {
    const experiment = experimentOf({ teacher: { from: { experiment: 'earlier', namespace: 'archive' } } });
    const found = {
      run: 'earlier-teacher',
      namespace: 'archive',
      model: 'resnet56',
      result: resultOf(0.97),
    } as const;

    it('is named in distilled Runs, which start at once', () => {
      const { create, status } = plan({ experiment, runs: [], teacher: found, now });
      expect(create.map(shortName)).toEqual([
        'baseline/small/1',
        'soft/small/1',
        'attention/small/1',
        'baseline/small/2',
        'soft/small/2',
        'attention/small/2',
      ]);
      expect(create[1]?.spec.parameters).toMatchObject({
        teacherRun: 'earlier-teacher',
        teacherNamespace: 'archive',
      });
      expect(create.filter(({ spec }) => spec.suspend)).toEqual([]);
      expect(status.teacherAccuracy).toEqual({ mean: 0.97 });
    });

    it.each([
      [
        { problem: { reason: 'TeacherMissing', message: 'Experiment archive/earlier does not exist.' } },
        'TeacherMissing',
      ],
      [undefined, 'TeacherUnresolved'],
    ])(
      'that is not there holds distilled Runs back, says why, and lets baselines go on',
      (teacher, reason) => {
        const observed = { experiment, now, ...(teacher ? { teacher } : {}) };
        const first = plan({ ...observed, runs: [] });
        expect(first.create.map(shortName)).toEqual(['baseline/small/1', 'baseline/small/2']);
        expect(condition(first.status, 'TeacherReady')?.slice(0, 2)).toEqual(['False', reason]);

        const runs = succeedAll(apply([], first));
        const then = plan({ ...observed, runs });
        expect(then).toMatchObject({ create: [], start: [], stop: [], pause: [] });
        expect(then.status.phase).toBe('Running');
        expect(condition(then.status, 'Progressing')?.slice(0, 2)).toEqual(['False', reason]);
      },
    );

    it('that is gone for a while stops nothing, and existing names stay the same', () => {
      const runs = begin(experiment, found);
      const problem = { problem: { reason: 'TeacherMissing', message: 'Gone.' } };
      expect(plan({ experiment, runs, teacher: problem, now })).toMatchObject({
        create: [],
        stop: [],
        pause: [],
      });
      expect(plan({ experiment, runs, teacher: found, now })).toMatchObject({
        create: [],
        stop: [],
        pause: [],
      });
    });

    it('that was replaced by another is not mixed with the first', () => {
      const runs = begin(experiment, found);
      const more = experimentOf({ teacher: experiment.spec.teacher, seeds: [1, 2, 3] });
      const another = { ...found, run: 'another' };
      const { create, status } = plan({ experiment: more, runs, teacher: another, now });
      expect(create.map(shortName)).toEqual(['baseline/small/3']);
      expect(condition(status, 'TeacherReady')?.slice(0, 2)).toEqual(['False', 'TeacherChanged']);

      // Only students that count now are compared: with their arms gone, another teacher is welcome.
      const renamed = experimentOf({
        teacher: experiment.spec.teacher,
        distillation: [{ name: 'hints', hints: {} }],
      });
      expect(plan({ experiment: renamed, runs, teacher: another, now }).create.map(shortName)).toEqual([
        'hints/small/1',
        'hints/small/2',
      ]);
    });
  });
});

describe('parallelism', () => {
  it('starts the first wanted Runs only', () => {
    const next = plan({ experiment: experimentOf({ parallelism: 2 }), runs: [], now });
    expect(createdStarted(next)).toEqual(['teacher/1', 'baseline/small/1']);
  });

  it('takes one write to create a Run and start it', () => {
    const next = plan({ experiment: experimentOf({ parallelism: 2 }), runs: [], now });
    expect(next).toMatchObject({ start: [], pause: [], stop: [] });
    expect(countWrites(next)).toBe(7);
  });

  it('is shared by Runs that exist and those that are created', () => {
    const runs = report(
      begin(experimentOf({ suspend: true })).filter((run) => shortName(run) !== 'baseline/small/1'),
      teacherIs('Succeeded'),
    );
    const next = plan({ experiment: experimentOf({ parallelism: 2 }), runs, now });
    expect(createdStarted(next)).toEqual(['baseline/small/1']);
    expect(shortNames(runs, next.start)).toEqual(['soft/small/1']);
  });

  it('gives every arm of the first seed its turn before the second seed', () => {
    const experiment = experimentOf({ parallelism: 1 });
    const runs = report(begin(experiment), (run) =>
      ['teacher/1', 'baseline/small/1', 'soft/small/1'].includes(shortName(run))
        ? { phase: 'Succeeded', result: resultOf(0.9) }
        : undefined,
    );
    expect(shortNames(runs, plan({ experiment, runs, now }).start)).toEqual(['attention/small/1']);
  });

  it('counts Runs that were stopped or paused until their pods are gone', () => {
    const experiment = experimentOf({ parallelism: 1, distillation: [] });
    const leaving = (run: Run): Run => ({
      ...withStatus(run, { phase: 'Running' }),
      spec: { ...run.spec, suspend: true },
    });
    const runs = begin(experiment).map((run) => (shortName(run) === 'baseline/small/2' ? leaving(run) : run));
    const [teacher, ...others] = runs;
    const suspended = [
      withStatus({ ...teacher!, spec: { ...teacher!.spec, suspend: true } }, { phase: 'Waiting' }),
    ];
    // The slot is taken by the baseline on its way out: it alone may go on in it.
    expect(shortNames(runs, plan({ experiment, runs: [...suspended, ...others], now }).start)).toEqual([
      'baseline/small/2',
    ]);
    const stop = { reason: 'NoLongerWanted', message: '' };
    const stopping = others.map((run) =>
      shortName(run) === 'baseline/small/2' ? { ...run, spec: { ...run.spec, stop } } : run,
    );
    expect(plan({ experiment, runs: [...suspended, ...stopping], now }).start).toEqual([]);
  });

  it('holds for a Run that was stopped, until its status tells that it has no pod', () => {
    const experiment = experimentOf({ parallelism: 1 });
    const stop = { reason: 'NoLongerWanted', message: '' };
    const startOf = (observedGeneration: number) => {
      const runs = begin(experiment).map((run) =>
        run.spec.suspend
          ? run
          : {
              ...withStatus(run, { phase: 'Queued', observedGeneration }),
              metadata: { ...run.metadata, generation: 2 },
              spec: { ...run.spec, stop },
            },
      );
      return shortNames(runs, plan({ experiment, runs, now }).start);
    };
    expect(startOf(1)).toEqual([]);
    expect(startOf(2)).toEqual(['baseline/small/1']);
  });

  it('holds for Runs that are on their way out and may go on', () => {
    const runs = begin(experimentOf()).map((run) => ({
      ...(run.spec.suspend ? run : withStatus(run, { phase: 'Running' as const })),
      spec: { ...run.spec, suspend: true },
    }));
    const { start } = plan({ experiment: experimentOf({ parallelism: 2 }), runs, now });
    expect(shortNames(runs, start)).toEqual(['teacher/1', 'baseline/small/1']);
  });

  it('when lowered pauses the Runs that started last, and never the teacher before others', () => {
    const started: Record<string, string> = {
      'teacher/1': '2026-03-01T10:03:00Z',
      'baseline/small/1': '2026-03-01T10:02:00Z',
      'baseline/small/2': '2026-03-01T10:01:00Z',
    };
    const runs = report(begin(experimentOf()), (run) => {
      const startTime = started[shortName(run)];
      return startTime === undefined ? undefined : { phase: 'Running', startTime };
    });
    const two = plan({ experiment: experimentOf({ parallelism: 2 }), runs, now });
    expect(shortNames(runs, two.pause)).toEqual(['baseline/small/1']);
    expect(two.start).toEqual([]);
    const one = plan({ experiment: experimentOf({ parallelism: 1 }), runs, now });
    expect(shortNames(runs, one.pause)).toEqual(['baseline/small/2', 'baseline/small/1']);
  });

  it('goes to paused Runs before those that never trained', () => {
    const experiment = experimentOf({ parallelism: 1 });
    const runs = begin(experiment).map((run) => {
      if (shortName(run) === 'teacher/1') return withStatus(run, { phase: 'Failed' });
      return shortName(run) === 'baseline/small/2'
        ? withStatus(run, { phase: 'Waiting', startTime: '2026-03-01T10:00:00Z' })
        : run;
    });
    expect(shortNames(runs, plan({ experiment, runs, now }).start)).toEqual(['baseline/small/2']);
  });
});

describe('suspend', () => {
  it('creates Runs but starts none', () => {
    const { create, start, status } = plan({ experiment: experimentOf({ suspend: true }), runs: [], now });
    expect(create.map(({ spec }) => spec.suspend)).toEqual(Array(7).fill(true));
    expect(start).toEqual([]);
    expect(status.phase).toBe('Suspended');
    expect(status.startTime).toBeUndefined();
  });

  it('pauses every active Run, and resuming goes on with the same', () => {
    const runs = report(begin(experimentOf()), (run) =>
      run.spec.suspend ? undefined : { phase: 'Running', startTime: '2026-03-01T10:00:00Z' },
    );
    const experiment = experimentOf({ suspend: true });
    const paused = plan({ experiment, runs, now });
    expect(shortNames(runs, paused.pause)).toEqual(['teacher/1', 'baseline/small/1', 'baseline/small/2']);
    expect(paused.status.phase).toBe('Suspended');
    expect(condition(paused.status, 'Suspended')?.slice(0, 2)).toEqual(['True', 'SuspendRequested']);

    const resumed = plan({ experiment: experimentOf(), runs: apply(runs, paused), now });
    expect(resumed.start).toEqual(paused.pause);
  });
});

describe('an obstacle', () => {
  const obstacle = { reason: 'QueueMissing', message: 'There is no LocalQueue lab/gpus. Create it.' };
  const running = () =>
    report(begin(experimentOf({ parallelism: 1 })), (run) =>
      run.spec.suspend ? undefined : { phase: 'Running', startTime: '2026-03-01T10:00:00Z' },
    );

  it('lets Runs be created but none be started, and is told', () => {
    const next = plan({ experiment: experimentOf(), runs: [], obstacle, now });
    expect(next.create).toHaveLength(7);
    expect(createdStarted(next)).toEqual([]);
    expect(next.start).toEqual([]);
    expect(condition(next.status, 'PrerequisitesMet')).toEqual(['False', obstacle.reason, obstacle.message]);
    expect(condition(next.status, 'Progressing')).toEqual(['False', obstacle.reason, obstacle.message]);
    expect(next.status.phase).toBe('Pending');
    expect(next.status.startTime).toBeUndefined();
  });

  it('that is gone lets the Runs start', () => {
    const runs = apply([], plan({ experiment: experimentOf(), runs: [], obstacle, now }));
    const next = plan({ experiment: experimentOf(), runs, obstacle: null, now });
    expect(shortNames(runs, next.start)).toEqual(['teacher/1', 'baseline/small/1', 'baseline/small/2']);
    expect(condition(next.status, 'PrerequisitesMet')).toEqual([
      'True',
      'Met',
      'Nothing that it needs is missing.',
    ]);
    expect(condition(next.status, 'Progressing')?.slice(0, 2)).toEqual(['True', 'RunsActive']);
  });

  it('that nobody looks for is not spoken of', () => {
    for (const observed of [{}, { obstacle: undefined }]) {
      const { status } = plan({ experiment: experimentOf(), runs: [], ...observed, now });
      expect(condition(status, 'PrerequisitesMet')).toBeUndefined();
    }
  });

  it('leaves alone what already runs, and nothing follows it', () => {
    const runs = running();
    const next = plan({ experiment: experimentOf({ parallelism: 2 }), runs, obstacle, now });
    expect(next).toMatchObject({ create: [], start: [], stop: [], pause: [] });
    expect(condition(next.status, 'Progressing')?.slice(0, 2)).toEqual(['True', 'RunsActive']);
    expect(condition(next.status, 'PrerequisitesMet')?.[0]).toBe('False');
    expect(next.status.phase).toBe('Running');
  });

  it('does not keep Runs from being paused or stopped', () => {
    const paused = plan({ experiment: experimentOf({ suspend: true }), runs: running(), obstacle, now });
    expect(paused.pause).toHaveLength(1);
    const runs = report(running(), teacherIs('Failed'));
    expect(plan({ experiment: experimentOf(), runs, obstacle, now }).stop).toHaveLength(4);
  });

  it('is nothing to an Experiment that has ended or is being deleted', () => {
    const ended = succeedAll(begin(experimentOf()));
    const { status } = plan({ experiment: experimentOf(), runs: ended, obstacle, now });
    expect(status).toEqual(plan({ experiment: experimentOf(), runs: ended, obstacle: null, now }).status);
    expect(status.phase).toBe('Complete');

    const deleted = experimentOf({}, { deletionTimestamp: '2026-03-01T12:00:00Z' });
    expect(plan({ experiment: deleted, runs: running(), obstacle, now })).toEqual(
      plan({ experiment: deleted, runs: running(), obstacle: null, now }),
    );
  });

  it('is reported equally when nothing has changed', () => {
    const experiment = experimentOf();
    const first = plan({ experiment, runs: [], obstacle, now });
    const again = plan({
      experiment: { ...experiment, status: first.status },
      runs: apply([], first),
      obstacle,
      now: later,
    });
    expect(again).toEqual({ create: [], stop: [], pause: [], start: [], promote: [], status: first.status });
  });
});

describe('what may not be written', () => {
  const refused = { reason: 'QuotaExceeded', message: 'Its Runs cannot all be created: no room.' };
  const training = (name: string) => (run: Run) =>
    shortName(run) === name ? ({ phase: 'Running', startTime: '2026-03-01T10:00:00Z' } as const) : undefined;

  it('is told, and the status is of what is there', () => {
    const { create, status } = plan({ experiment: experimentOf(), runs: [], refused, now });
    expect(create).toHaveLength(7);
    expect(status.runs).toEqual({});
    expect(condition(status, 'Progressing')).toEqual(['False', refused.reason, refused.message]);
    expect(condition(status, 'Complete')?.[0]).toBe('False');
    expect(status.startTime).toBeUndefined();
  });

  it('is told beside what gets on', () => {
    const [teacher, baseline] = begin(experimentOf());
    const runs = report([teacher!, baseline!], training('teacher/1'));
    const { status } = plan({ experiment: experimentOf(), runs, refused, now });
    expect(condition(status, 'Progressing')).toEqual([
      'True',
      'RunsActive',
      `2 Runs active, 0 waiting. ${refused.message}`,
    ]);
    const stuck = runs.map((run) => withProgressing(run, 'False', 'Unschedulable', 'No node.'));
    const held = plan({ experiment: experimentOf(), runs: stuck, refused, now });
    expect(condition(held.status, 'Progressing')).toEqual(['False', refused.reason, refused.message]);
  });

  it('is told of an Experiment that has ended, and is its end no less', () => {
    const runs = succeedAll(begin(experimentOf()));
    const { status } = plan({ experiment: experimentOf(), runs, refused, now });
    expect(status.phase).toBe('Complete');
    expect(condition(status, 'Progressing')).toEqual(['False', refused.reason, refused.message]);
  });

  it('is reported equally when nothing has changed, and gone when it is written', () => {
    const experiment = experimentOf();
    const { status, ...first } = plan({ experiment, runs: [], refused, now });
    const reported = { ...experiment, status };
    expect(plan({ experiment: reported, runs: [], refused, now: later }).status).toEqual(status);
    const runs = apply([], { ...first, status });
    const next = plan({ experiment: reported, runs, now: later });
    expect(condition(next.status, 'Progressing')?.slice(0, 2)).toEqual(['True', 'RunsActive']);
  });
});

describe('Runs that do not get on', () => {
  const unavailable = 'Its image cannot be pulled.';
  /** After the first plan, with three active Runs; those given are blocked. */
  const blocked = (shorts: readonly string[], generation?: number) =>
    report(begin(experimentOf()), (run) => (run.spec.suspend ? undefined : { phase: 'Starting' })).map(
      (run) =>
        shorts.includes(shortName(run))
          ? withProgressing(run, 'False', 'ImageUnavailable', unavailable, generation)
          : run,
    );
  const progressing = (runs: readonly Run[]) =>
    condition(plan({ experiment: experimentOf(), runs, now }).status, 'Progressing');

  it('are counted, and the first is told of, while others get on', () => {
    expect(progressing(blocked(['baseline/small/1']))).toEqual([
      'True',
      'RunsActive',
      expect.stringMatching(
        /^3 Runs active, 4 waiting; 1 does not get on: Run study-baseline-small-s1-\w+: Its image cannot be pulled\.$/,
      ),
    ]);
    expect(progressing(blocked(['baseline/small/2', 'teacher/1']))).toEqual([
      'True',
      'RunsActive',
      expect.stringMatching(
        /^3 Runs active, 4 waiting; 2 do not get on: Run study-teacher-s1-\w+: Its image cannot be pulled\. \(and 1 other Run\)$/,
      ),
    ]);
  });

  it('hold up the Experiment when all active ones are among them', () => {
    const runs = blocked(['teacher/1', 'baseline/small/1', 'baseline/small/2']);
    expect(progressing(runs)).toEqual([
      'False',
      'ImageUnavailable',
      expect.stringMatching(/^Run study-teacher-s1-\w+: Its image cannot be pulled\. \(and 2 other Runs\)$/),
    ]);
    const [only, ...others] = runs;
    const ended = others.map((run) =>
      run.spec.suspend ? run : withStatus(run, { phase: 'Failed', conditions: [] }),
    );
    expect(progressing([only!, ...ended])?.[2]).toMatch(
      /^Run study-teacher-s1-\w+: Its image cannot be pulled\.$/,
    );
  });

  it('are those of which it was said since their spec last changed', () => {
    const all = ['teacher/1', 'baseline/small/1', 'baseline/small/2'];
    expect(progressing(blocked(all, 0))).toEqual(['True', 'RunsActive', '3 Runs active, 4 waiting.']);
  });

  it('do not include those that wait for their turn, are paused, have ended, or start now', () => {
    const suspended = begin(experimentOf({ suspend: true })).map((run) =>
      withProgressing(run, 'False', 'NotStarted', 'Waits for its teacher or its turn.'),
    );
    const first = plan({ experiment: experimentOf(), runs: suspended, now });
    expect(first.start).toHaveLength(3);
    expect(condition(first.status, 'Progressing')?.[2]).toBe('3 Runs active, 4 waiting.');
    const again = plan({
      experiment: { ...experimentOf(), status: first.status },
      runs: apply(suspended, first),
      now: later,
    });
    expect(again.status).toEqual(first.status);

    const paused = plan({
      experiment: experimentOf({ suspend: true }),
      runs: blocked(['teacher/1']),
      now,
    });
    expect(condition(paused.status, 'Progressing')?.slice(0, 2)).toEqual(['False', 'Suspended']);
    const ended = blocked(['teacher/1']).map((run) =>
      shortName(run) === 'teacher/1' ? withStatus(run, { phase: 'Failed' }) : run,
    );
    expect(progressing(ended)?.[2]).toBe('2 Runs active, 4 waiting.');
  });

  it('are reported equally when nothing has changed', () => {
    const runs = blocked(['teacher/1', 'baseline/small/1', 'baseline/small/2']);
    const experiment = experimentOf();
    const { status } = plan({ experiment, runs, now });
    expect(plan({ experiment: { ...experiment, status }, runs, now: later }).status).toEqual(status);
  });
});

describe('the scarcity stage', () => {
  const scarcity = { student: { model: 'resnet14' }, fraction: 0.1 };
  const accuracies: Record<string, number> = {
    'soft/small/1': 0.9,
    'soft/small/2': 0.7,
    'attention/small/1': 0.82,
    'attention/small/2': 0.8,
  };
  const ended = (runs: readonly Run[]) => succeedAll(runs, (run) => accuracies[shortName(run)] ?? 0.5);

  it('begins when the main stage has ended, with the arm of the highest mean validation accuracy', () => {
    const experiment = experimentOf({ scarcity });
    const first = begin(experiment);
    expect(first).toHaveLength(7);
    const almost = ended(first).map((run) =>
      shortName(run) === 'baseline/small/2' ? withStatus(run, { phase: 'Running' }) : run,
    );
    const waiting = plan({ experiment, runs: almost, now });
    expect(waiting.create).toEqual([]);
    expect(condition(waiting.status, 'ScarcityReady')?.slice(0, 2)).toEqual(['False', 'MainStageUnfinished']);

    const runs = ended(first);
    const next = plan({ experiment, runs, now });
    const { create, status } = next;
    expect(create.map(shortName)).toEqual([
      'scarcity/baseline/resnet14/1',
      'scarcity/attention/resnet14/1',
      'scarcity/baseline/resnet14/2',
      'scarcity/attention/resnet14/2',
    ]);
    expect(createdStarted(next)).toEqual(create.map(shortName));
    expect(create[1]?.spec.parameters).toMatchObject({
      stage: 'scarcity',
      model: 'resnet14',
      dataset: { ...experiment.spec.dataset, fraction: 0.1 },
      objective: { attentionTransfer: { weight: 1000 } },
      teacherRun: runs[0]?.metadata.name,
    });
    expect(create[0]?.spec.parameters.dataset.fraction).toBe(0.1);
    expect(create[0]?.metadata.labels?.['destillml.io/stage']).toBe('scarcity');
    expect(condition(status, 'ScarcityReady')).toEqual([
      'True',
      'BestArm',
      'Arm attention has the highest mean validation accuracy, 81.00 %.',
    ]);
    expect(status.phase).toBe('Running');
  });

  it('selects by validation accuracy, not by test accuracy', () => {
    const experiment = experimentOf({ scarcity, seeds: [1] });
    const runs = report(begin(experiment), (run) => ({
      phase: 'Succeeded',
      result: run.spec.parameters.arm === 'soft' ? resultOf(0.99, 0.5) : resultOf(0.5, 0.6),
    }));
    const { create } = plan({ experiment, runs, now });
    expect(create.map(shortName)).toContain('scarcity/attention/resnet14/1');
  });

  it('takes the first of equal arms', () => {
    const experiment = experimentOf({ scarcity });
    const { create } = plan({ experiment, runs: succeedAll(begin(experiment)), now });
    expect(create.map(shortName)).toContain('scarcity/soft/resnet14/1');
  });

  it('takes the arm that is named', () => {
    const experiment = experimentOf({ scarcity: { ...scarcity, arm: 'soft' } });
    const { create } = plan({ experiment, runs: ended(begin(experiment)), now });
    expect(create.map(shortName)).toContain('scarcity/soft/resnet14/1');
  });

  it('averages over the Runs that succeeded', () => {
    const experiment = experimentOf({ scarcity });
    const runs = ended(begin(experiment)).map((run) =>
      shortName(run) === 'soft/small/2' ? withStatus(run, { phase: 'Failed' }) : run,
    );
    expect(plan({ experiment, runs, now }).create.map(shortName)).toContain('scarcity/soft/resnet14/1');
  });

  it.each([
    ['no arm succeeded', 'best', 'distilled', 'NoArmSucceeded'],
    ['the teacher failed', 'soft', 'teacher', 'TeacherFailed'],
  ])('is skipped with a condition when %s', (_, arm, role, reason) => {
    const experiment = experimentOf({ scarcity: { ...scarcity, arm } });
    const runs = ended(begin(experiment)).map((run) =>
      run.spec.parameters.role === role ? withStatus(run, { phase: 'Failed' }) : run,
    );
    const { create, status } = plan({ experiment, runs, now });
    expect(create).toEqual([]);
    expect(condition(status, 'ScarcityReady')?.slice(0, 2)).toEqual(['False', reason]);
    expect(status.phase).toBe('Complete');
  });

  it('keeps its Runs while a new seed opens the main stage again, and then chooses anew', () => {
    const before = experimentOf({ scarcity });
    const main = ended(begin(before));
    const scarce = apply(main, plan({ experiment: before, runs: main, now }));
    const experiment = experimentOf({ scarcity, seeds: [1, 2, 3] });
    const opened = plan({ experiment, runs: scarce, now });
    expect(opened.create.map(shortName)).toEqual(['baseline/small/3', 'soft/small/3', 'attention/small/3']);
    expect(opened.stop).toEqual([]);

    const runs = report(apply(scarce, opened), (run) =>
      run.spec.parameters.seed === 3
        ? { phase: 'Succeeded', result: resultOf(run.spec.parameters.arm === 'soft' ? 0.99 : 0.1) }
        : undefined,
    );
    const chosen = plan({ experiment, runs, now });
    expect(chosen.create.map(shortName)).toEqual([
      'scarcity/soft/resnet14/1',
      'scarcity/soft/resnet14/2',
      'scarcity/baseline/resnet14/3',
      'scarcity/soft/resnet14/3',
    ]);
    expect(
      shortNames(
        runs,
        chosen.stop.map(({ name }) => name),
      ),
    ).toEqual(['scarcity/attention/resnet14/1', 'scarcity/attention/resnet14/2']);
  });
});

describe('the status', () => {
  const at = (accuracies: Record<string, number>) => (run: Run) => accuracies[shortName(run)] ?? 0.5;

  it('says what has been created and started', () => {
    const { status } = plan({ experiment: experimentOf(), runs: [], now });
    expect(status).toEqual({
      observedGeneration: 3,
      phase: 'Pending',
      conditions: [
        ['Complete', 'False', 'RunsUnfinished', '7 of 7 Runs have not ended.'],
        ['Failed', 'False', 'RunsUnfinished', '7 of 7 Runs have not ended.'],
        ['Progressing', 'True', 'RunsActive', '3 Runs active, 4 waiting.'],
        ['Suspended', 'False', 'NotRequested', 'spec.suspend is false.'],
        [
          'TeacherReady',
          'False',
          'TeacherUnfinished',
          expect.stringMatching(/^Run study-teacher-\S+ trains/),
        ],
      ].map(([type, value, reason, message]) => ({
        type,
        status: value,
        reason,
        message,
        lastTransitionTime: '2026-03-01T12:00:00Z',
        observedGeneration: 3,
      })),
      runs: { Waiting: 7 },
      startTime: '2026-03-01T12:00:00Z',
    });
  });

  it('is equal, times included, when nothing has changed', () => {
    const experiment = experimentOf();
    const first = plan({ experiment, runs: [], now });
    const again = plan({
      experiment: { ...experiment, status: first.status },
      runs: apply([], first),
      now: later,
    });
    expect(again).toEqual({ create: [], stop: [], pause: [], start: [], promote: [], status: first.status });
  });

  it('moves the transition time of those conditions that change, and keeps those of others', () => {
    const experiment = experimentOf();
    const first = plan({ experiment, runs: [], now });
    const queue = {
      type: 'QueueReady',
      status: 'True',
      reason: 'Found',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    } as const;
    const status = { ...first.status, conditions: [queue, ...first.status.conditions] };
    const then = plan({
      experiment: { ...experiment, status },
      runs: succeedAll(apply([], first)),
      now: later,
    });
    expect(
      then.status.conditions.map(({ type, status: value, lastTransitionTime }) => [
        type,
        value,
        lastTransitionTime,
      ]),
    ).toEqual([
      ['QueueReady', 'True', '2026-01-01T00:00:00Z'],
      ['Complete', 'True', '2026-03-01T13:00:00Z'],
      ['Failed', 'False', '2026-03-01T12:00:00Z'],
      ['Progressing', 'False', '2026-03-01T13:00:00Z'],
      ['Suspended', 'False', '2026-03-01T12:00:00Z'],
      ['TeacherReady', 'True', '2026-03-01T13:00:00Z'],
    ]);
  });

  it('is Complete when all Runs succeeded, with the best student by validation accuracy', () => {
    const experiment = experimentOf();
    const accuracies = {
      'teacher/1': 0.95,
      'soft/small/1': 0.8,
      'soft/small/2': 0.82,
      'baseline/small/1': 0.7,
    };
    const runs = report(begin(experiment), (run) => ({
      phase: 'Succeeded',
      gpuSeconds: 10,
      startTime: '2026-03-01T09:00:00Z',
      result: resultOf(at(accuracies)(run)),
    }));
    const { status } = plan({ experiment, runs, now });
    expect(status).toMatchObject({
      phase: 'Complete',
      runs: { Succeeded: 7 },
      best: { arm: 'soft', student: 'small', testAccuracy: { mean: expect.closeTo(0.81, 12) } },
      teacherAccuracy: { mean: 0.95 },
      baselineAccuracy: { mean: 0.6, standardDeviation: expect.closeTo(0.1 * Math.SQRT2, 12) },
      gpuSeconds: 70,
      startTime: '2026-03-01T09:00:00Z',
      completionTime: '2026-03-01T12:00:00Z',
    });
    expect(condition(status, 'Complete')).toEqual(['True', 'AllRunsSucceeded', '7 of 7 Runs succeeded.']);
    const again = plan({ experiment: { ...experiment, status }, runs, now: later });
    expect(again.status).toEqual(status);
  });

  it('says so where the result of a Run that succeeded is not known', () => {
    const experiment = experimentOf();
    const runs = report(begin(experiment), (run) => ({
      phase: 'Succeeded',
      ...(run.spec.parameters.role === 'teacher' ? {} : { result: resultOf(0.7) }),
    }));
    expect(condition(plan({ experiment, runs, now }).status, 'Complete')).toEqual([
      'True',
      'AllRunsSucceeded',
      '7 of 7 Runs succeeded, the result of 1 is not known.',
    ]);
  });

  it('names the best of all students by validation accuracy, beside the baseline of the same student', () => {
    const experiment = experimentOf({
      seeds: [1],
      students: [
        { name: 'small', model: 'resnet8' },
        { name: 'large', model: 'resnet20' },
      ],
    });
    const validation: Record<string, number> = { 'soft/large/1': 0.9 };
    const test: Record<string, number> = {
      'attention/small/1': 0.99,
      'soft/large/1': 0.8,
      'baseline/large/1': 0.7,
    };
    const runs = report(begin(experiment), (run) => ({
      phase: 'Succeeded',
      result: resultOf(at(test)(run), at(validation)(run)),
    }));
    expect(plan({ experiment, runs, now }).status).toMatchObject({
      best: { arm: 'soft', student: 'large', testAccuracy: { mean: 0.8 } },
      baselineAccuracy: { mean: 0.7 },
    });
  });

  it('is Complete when some Runs failed, and says how many and why the first', () => {
    const experiment = experimentOf();
    const runs = report(begin(experiment), (run) =>
      shortName(run) === 'soft/small/1'
        ? { phase: 'Failed', reason: 'TrainingDiverged', message: 'The loss became NaN.' }
        : { phase: 'Succeeded', result: resultOf(0.9) },
    );
    const { status } = plan({ experiment, runs, now });
    expect(status.phase).toBe('Complete');
    expect(condition(status, 'Complete')).toEqual([
      'True',
      'SomeRunsFailed',
      expect.stringMatching(
        /^6 of 7 Runs succeeded, 1 Failed\. First: Run study-\S+: Failed: TrainingDiverged: The loss became NaN\.$/,
      ),
    ]);
  });

  it('is Failed when no Run succeeded', () => {
    const experiment = experimentOf();
    const runs = report(begin(experiment), (run) => ({
      phase: run.spec.parameters.role === 'distilled' ? 'Skipped' : 'Failed',
    }));
    const { status } = plan({ experiment, runs, now });
    expect(status.phase).toBe('Failed');
    expect(condition(status, 'Failed')).toEqual([
      'True',
      'NoRunSucceeded',
      expect.stringMatching(/^0 of 7 Runs succeeded, 3 Failed, 4 Skipped\. First: Run study-teacher/),
    ]);
    expect(status.completionTime).toBe('2026-03-01T12:00:00Z');
  });

  it('is not Complete while a Run that is no longer wanted still trains', () => {
    const runs = succeedAll(begin(experimentOf())).map((run) =>
      shortName(run) === 'soft/small/1' ? withStatus(run, { phase: 'Running' }) : run,
    );
    const experiment = experimentOf({ distillation: [{ name: 'attention', attentionTransfer: {} }] });
    expect(plan({ experiment, runs, now }).status.phase).toBe('Running');
  });

  it('is Running again, without a completion time, when a seed is added after the end', () => {
    const before = experimentOf();
    const runs = succeedAll(begin(before));
    const { status } = plan({ experiment: before, runs, now });
    const experiment = { ...experimentOf({ seeds: [1, 2, 3] }), status };
    const reopened = plan({ experiment, runs, now: later });
    expect(reopened.status.phase).toBe('Running');
    expect(reopened.status.completionTime).toBeUndefined();
    expect(condition(reopened.status, 'Complete')?.[0]).toBe('False');
  });
});
