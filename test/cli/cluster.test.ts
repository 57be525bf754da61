import { describe, expect, it, test } from 'vitest';
import { curvesTable, sparkline } from '../../cli/cluster/curves.ts';
import { duration } from '../../cli/cluster/duration.ts';
import { queueTable } from '../../cli/cluster/queue.ts';
import { type Known, whyText } from '../../cli/cluster/why.ts';
import type { Run, RunStatus } from '../../src/api/run.ts';
import { plan } from '../../src/plan/plan.ts';
import { apply, experimentOf, resultOf, shortName, withProgressing } from '../src/plan/world.ts';

const now = new Date('2026-03-01T12:00:00Z');
const progress = {
  epoch: 4,
  epochs: 6,
  step: 0,
  steps: 10,
  etaSeconds: 130,
  updatedAt: '2026-03-01T11:59:50Z',
};
const study = { distillation: [{ name: 'soft', softTargets: {} }], seeds: [1], parallelism: 2 };

type Statuses = Readonly<Record<string, Partial<RunStatus>>>;

/** The Runs of an Experiment as a plan makes them, with these statuses, by short name. */
function runsWith(statuses: Statuses, spec: object = {}): readonly Run[] {
  const experiment = experimentOf({ ...study, ...spec });
  return apply([], plan({ experiment, runs: [], now })).map((run) => ({
    ...run,
    metadata: {
      ...run.metadata,
      name: shortName(run).replaceAll('/', '-'),
      creationTimestamp: '2026-03-01T11:00:00Z',
    },
    spec: {
      ...run.spec,
      parameters: {
        ...run.spec.parameters,
        ...(run.spec.parameters.teacherRun === undefined ? {} : { teacherRun: 'teacher-1' }),
      },
    },
    status: { phase: 'Waiting', conditions: [], ...statuses[shortName(run)] },
  }));
}

function why(
  name: string,
  statuses: Statuses,
  { spec = {}, ...rest }: Partial<Known> & { spec?: object } = {},
): string {
  const runs = runsWith(statuses, spec);
  const run = runs.find(({ metadata }) => metadata.name === name)!;
  return whyText({ run, experiment: experimentOf({ ...study, ...spec }), runs, warnings: [], now, ...rest });
}

describe('destill why says of a Run that', () => {
  it('waits for its teacher how far that is, and asks about it next', () => {
    expect(why('soft-small-1', { 'teacher/1': { phase: 'Running', progress } })).toBe(
      'soft-small-1 (small soft, seed 1) is Waiting. It waits for its teacher: teacher-1 is Running: epoch 4 of 6, about 2 min to its end.\n' +
        'Next: destill why teacher-1 --namespace lab',
    );
  });

  it('waits for a teacher that failed why that did', () => {
    const failed = {
      phase: 'Failed',
      reason: 'TrainingDiverged',
      message: 'The loss is no number.',
    } as const;
    expect(why('soft-small-1', { 'teacher/1': failed })).toContain(
      'It waits for its teacher: teacher-1 is Failed: The loss is no number.\n',
    );
  });

  it('waits for its turn whose it is', () => {
    const trained = { phase: 'Succeeded', result: resultOf(0.9) } as const;
    const running = { phase: 'Running', progress } as const;
    const text = why(
      'soft-small-1',
      { 'teacher/1': trained, 'baseline/small/1': running },
      { spec: { parallelism: 1 } },
    );
    expect(text).toContain(
      'It waits for its turn: spec.parallelism is 1, and baseline-small-1 is Running: epoch 4 of 6, about 2 min to its end.\n',
    );
  });

  it('is of a suspended Experiment how to go on', () => {
    expect(why('soft-small-1', {}, { spec: { suspend: true } })).toMatch(
      /Its Experiment is suspended\.\nNext: destill start study --namespace lab$/,
    );
  });

  it('does not get on what stands in its way', () => {
    const [teacher] = runsWith({ 'teacher/1': { phase: 'Queued' } });
    const run = withProgressing(
      { ...teacher!, spec: { ...teacher!.spec, suspend: false } },
      'False',
      'Unschedulable',
      'No node has two GPUs.',
    );
    const text = whyText({ run, experiment: experimentOf(study), runs: [run], warnings: [], now });
    expect(text).toContain('is Queued. It does not get on (Unschedulable): No node has two GPUs.\n');
  });

  it('failed why, what its attempts came to, what was warned of, and how to try again', () => {
    const pods: RunStatus['pods'] = [
      {
        uid: 'a',
        name: 'p-a',
        node: 'gpu-1',
        gpuSeconds: 300,
        startTime: '2026-03-01T10:00:00Z',
        endTime: '2026-03-01T10:05:00Z',
        outcome: 'Preempted',
      },
      {
        uid: 'b',
        name: 'p-b',
        gpuSeconds: 60,
        startTime: '2026-03-01T11:00:00Z',
        endTime: '2026-03-01T11:01:00Z',
        outcome: 'Failed',
      },
    ];
    const failed: Partial<RunStatus> = {
      phase: 'Failed',
      reason: 'OutOfMemory',
      message: 'Give it more memory.',
      pods,
    };
    expect(
      why('teacher-1', { 'teacher/1': failed }, { warnings: ['OOMKilling: memory cgroup out of memory'] }),
    ).toBe(
      'teacher-1 (teacher, seed 1) is Failed. OutOfMemory: Give it more memory.\n' +
        'Before: p-a on gpu-1 gave way to others after 5 min; p-b failed after 60 s.\n' +
        'Warning: OOMKilling: memory cgroup out of memory\n' +
        'Next: kubectl delete drun teacher-1 --namespace lab   # it is made anew, and goes on from its last checkpoint',
    );
  });

  it('trains how far it is, and since when it is silent', () => {
    const silent = {
      phase: 'Running',
      progress: { ...progress, updatedAt: '2026-03-01T11:30:00Z' },
    } as const;
    expect(why('teacher-1', { 'teacher/1': silent })).toContain(
      'is Running. epoch 4 of 6, about 2 min to its end. It has not reported for 30 min, and holds its GPUs.\n',
    );
  });
});

test('the queue shows who trains, then who waits, those first that have done so longest, and why', () => {
  const runs = runsWith({
    'teacher/1': {
      phase: 'Running',
      reason: 'Training',
      progress,
      pods: [{ uid: 'a', name: 'a', gpuSeconds: 0, startTime: '2026-03-01T11:50:00Z' }],
    },
    'baseline/small/1': { phase: 'Queued', reason: 'InQueue' },
  });
  expect(queueTable(runs, now, true).split('\n')).toEqual([
    '   FOR  EPOCH  REASON    NAMESPACE  RUN',
    'Running (1)',
    '10 min    4/6  Training  lab        teacher-1',
    'Queued (1)',
    '60 min         InQueue   lab        baseline-small-1',
    'Waiting (1)',
    '60 min                   lab        soft-small-1',
    '',
  ]);
  expect(queueTable(runs, now, false).split('\n').slice(0, 3)).toEqual([
    '   FOR  EPOCH  REASON    RUN',
    'Running (1)',
    '10 min    4/6  Training  teacher-1',
  ]);
  expect(queueTable([], now, true)).toBe('nobody trains, and nobody waits\n');
});

test('curves are on one scale, whatever the Run', () => {
  const runs = runsWith({
    'teacher/1': { phase: 'Succeeded', history: [0.1, 0.5, 0.8, 0.9], progress },
    'baseline/small/1': { phase: 'Running', history: [0.1, 0.3], progress: { ...progress, epoch: 2 } },
  });
  expect(curvesTable(runs).split('\n')).toEqual([
    'PHASE      EPOCH  BEST  CURVE  RUN',
    'validation accuracy, 10.0 – 90.0 %',
    'Succeeded  4/600  90.0  ▁▅▇█   teacher-1',
    'Running    2/600  30.0  ▁▃     baseline-small-1',
    '',
  ]);
  expect(curvesTable(runsWith({}))).toBe('no Run has reported an epoch yet\n');
});

test('of a curve that is longer than its column each bar is a mean', () => {
  const values = Array.from({ length: 48 }, (_, index) => index);
  const line = sparkline(values, { low: 0, high: 47 });
  expect(line).toBe('▁▁▂▂▂▃▃▃▃▄▄▄▅▅▅▆▆▆▆▇▇▇██');
  expect(sparkline([0.5, 0.5], { low: 0.5, high: 0.5 })).toBe('██');
});

test.each([
  [0, '0 s'],
  [89, '89 s'],
  [90, '2 min'],
  [5369, '89 min'],
  [5401, '1 h 30 min'],
  [7200, '2 h'],
  [180_000, '2 d 2 h'],
  [172_800, '2 d'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
