import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/api/experiment.ts';
import { type Run, run as runSchema } from '../../../src/api/run.ts';
import { plan } from '../../../src/plan/plan.ts';
import { apply, experimentOf, names, now, report, resultOf, shortName } from './world.ts';

const explain = { methods: ['gradCam'], images: 4 };

/** The Runs after this plan, all of them with this end. */
function ended(
  experiment: Experiment,
  runs: readonly Run[],
  fails: (run: Run) => boolean = () => false,
): readonly Run[] {
  return report(apply(runs, plan({ experiment, runs, now })), (run) => {
    if (run.status !== undefined) return undefined;
    if (fails(run)) return { phase: 'Failed', reason: 'TrainingDiverged' };
    return { phase: 'Succeeded', result: resultOf(0.5) };
  });
}

const byShortName = (runs: readonly Run[]) => new Map(runs.map((run) => [shortName(run), run.metadata.name]));
const explanationsOf = (runs: readonly Run[]) =>
  runs.filter((run) => run.spec.parameters.role === 'explanation');

describe('the explanation', () => {
  it('begins when all else has ended, and looks at one network of each technique, the teacher first', () => {
    const experiment = experimentOf({ explain });
    const trained = ended(experiment, []);
    const [teacher, ...others] = trained;
    const open = report(trained, (run) => (run === others.at(-1) ? { phase: 'Running' } : undefined));
    expect(plan({ experiment, runs: open, now }).create).toEqual([]);

    const { create, status } = plan({ experiment, runs: trained, now });
    expect(create).toHaveLength(1);
    expect(runSchema.parse(create[0])).toEqual(create[0]);
    expect(status.phase).toBe('Running');
    const known = byShortName(trained);
    expect(create[0]).toMatchObject({
      metadata: { labels: { 'destillml.io/stage': 'explanation', 'destillml.io/role': 'explanation' } },
      spec: {
        suspend: false,
        parameters: {
          role: 'explanation',
          stage: 'explanation',
          model: 'resnet56',
          seed: 1,
          teacherRun: teacher?.metadata.name,
          explanation: {
            methods: ['gradCam'],
            images: 4,
            networks: ['baseline/small/1', 'soft/small/1', 'attention/small/1'].map((name) =>
              known.get(name),
            ),
          },
        },
      },
    });
    expect(create[0]?.metadata.name).toMatch(/^study-explanation-s1-[0-9a-f]{10}$/);

    const all = ended(experiment, trained);
    expect(plan({ experiment, runs: all, now })).toMatchObject({ create: [], status: { phase: 'Complete' } });
  });

  it('takes the first seed that succeeded, leaves out what never did, and includes the scarcity stage', () => {
    const scarcity = { student: { model: 'resnet14' }, fraction: 0.1, arm: 'soft' };
    const experiment = experimentOf({ explain, scarcity });
    const fails = (run: Run) =>
      ['baseline/small/1', 'attention/small/1', 'attention/small/2'].includes(shortName(run));
    const trained = ended(experiment, ended(experiment, [], fails));
    const [explanation] = explanationsOf(apply(trained, plan({ experiment, runs: trained, now })));
    const known = byShortName(trained);
    expect(explanation?.spec.parameters.explanation?.networks).toEqual(
      ['baseline/small/2', 'soft/small/1', 'scarcity/baseline/resnet14/1', 'scarcity/soft/resnet14/1'].map(
        (name) => known.get(name),
      ),
    );
  });

  it('has no teacher where it failed, and is not made where nothing succeeded', () => {
    const experiment = experimentOf({ explain });
    const failed = ended(experiment, [], (run) => run.spec.parameters.role !== 'baseline');
    const skipped = report(failed, (run) => (run.spec.stop ? { phase: 'Skipped' } : undefined));
    const stopped = apply(skipped, plan({ experiment, runs: skipped, now }));
    const [explanation] = explanationsOf(stopped);
    expect(explanation?.spec.parameters).toMatchObject({ model: 'resnet8' });
    expect(explanation?.spec.parameters.teacherRun).toBeUndefined();

    const nothing = ended(experiment, [], () => true);
    expect(plan({ experiment, runs: nothing, now })).toMatchObject({
      create: [],
      status: { phase: 'Failed' },
    });
  });

  it('looks at the teacher of another Experiment', () => {
    const experiment = experimentOf({ explain, teacher: { from: { run: 'big', namespace: 'zoo' } } });
    const teacher = { run: 'big', namespace: 'zoo' };
    const created = apply([], plan({ experiment, runs: [], teacher, now }));
    const trained = report(created, () => ({ phase: 'Succeeded', result: resultOf(0.5) }));
    const { create } = plan({ experiment, runs: trained, teacher, now });
    expect(create[0]?.spec.parameters).toMatchObject({
      teacherRun: 'big',
      teacherNamespace: 'zoo',
      model: 'resnet8',
    });
  });

  it('waits until it is known which network the teacher of another Experiment is', () => {
    const experiment = experimentOf({ explain, distillation: [], teacher: { from: { experiment: 'zoo' } } });
    const problem = { reason: 'TeacherUnfinished', message: 'It is trained.' };
    const unknown = { problem };
    const trained = ended(experiment, []);
    const waiting = plan({ experiment, runs: trained, teacher: unknown, now });
    expect(waiting).toMatchObject({ create: [], status: { phase: 'Running' } });

    const known = { run: 'big' };
    const { create } = plan({ experiment, runs: trained, teacher: known, now });
    expect(create[0]?.spec.parameters.teacherRun).toBe('big');
    // Once it is made, nothing depends on whether the teacher is still there.
    const all = report(apply(trained, plan({ experiment, runs: trained, teacher: known, now })), (run) =>
      run.status === undefined ? { phase: 'Succeeded' } : undefined,
    );
    const later = plan({ experiment, runs: all, teacher: unknown, now });
    expect(later).toMatchObject({ create: [], stop: [], status: { phase: 'Complete' } });
  });

  it('of a teacher that was trained again after it failed is another one', () => {
    const experiment = experimentOf({ explain, teacher: { model: 'resnet8' }, distillation: [], seeds: [1] });
    const failed = ended(experiment, [], (run) => run.spec.parameters.role === 'teacher');
    const without = plan({ experiment, runs: failed, now }).create[0];
    const succeeded = plan({ experiment, runs: ended(experiment, []), now }).create[0];
    expect(without?.spec.parameters.explanation).toEqual(succeeded?.spec.parameters.explanation);
    expect(without?.metadata.name).not.toBe(succeeded?.metadata.name);
  });

  it('is made anew for arms that are added, and the earlier one stays as it ended', () => {
    const experiment = experimentOf({ explain });
    const all = ended(experiment, ended(experiment, []));
    const extended = experimentOf({
      explain,
      distillation: [...experiment.spec.distillation, { name: 'hints', hints: {} }],
    });
    const more = ended(extended, all);
    expect(plan({ experiment: extended, runs: all, now }).stop).toEqual([]);
    const { create } = plan({ experiment: extended, runs: more, now });
    expect(explanationsOf(create)[0]?.spec.parameters.explanation?.networks).toHaveLength(4);
    expect(names(explanationsOf(ended(extended, more)))).toHaveLength(2);
  });

  it('stays wanted while a Run is trained again', () => {
    const experiment = experimentOf({ explain });
    const trained = ended(experiment, []);
    const running = report(apply(trained, plan({ experiment, runs: trained, now })), (run) =>
      run.status === undefined ? { phase: 'Running' } : undefined,
    );
    const without = running.filter((run) => shortName(run) !== 'soft/small/1');
    expect(plan({ experiment, runs: without, now })).toMatchObject({ create: [{}], stop: [] });
  });

  it('explains 20 networks at most: its last word has room for no more', () => {
    const students = Array.from({ length: 12 }, (_, index) => ({
      name: `student-${index}`,
      model: 'resnet8',
    }));
    const experiment = experimentOf({ explain, students, seeds: [1] });
    const trained = ended(experiment, []);
    expect(trained).toHaveLength(37);
    const { create } = plan({ experiment, runs: trained, now });
    expect(create[0]?.spec.parameters.explanation?.networks).toHaveLength(19);
  });
});
