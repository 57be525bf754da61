import { beforeEach, describe, expect, it } from 'vitest';
import type { Experiment, Run } from '../../../operator/controllers/kinds.ts';
import type { Job, Pod } from '../../../operator/jobs/objects.ts';
import { StateMetrics } from '../../../operator/metrics/state-metrics.ts';
import { labelValue, ownerUids } from '../../../operator/runtime/cache.ts';
import { runPhases } from '../../../src/api/meta.ts';
import type { ExplanationResult, RunStatus } from '../../../src/api/run.ts';
import { metrics } from '../../../src/metrics/catalogue.ts';
import { experimentMetrics } from '../../../src/metrics/experiments.ts';
import { explanationMetrics } from '../../../src/metrics/explanations.ts';
import { runMetrics } from '../../../src/metrics/runs.ts';
import { plan } from '../../../src/plan/plan.ts';
import {
  apply,
  experimentOf,
  now,
  report,
  resultOf,
  shortName,
  withProgressing,
  withStatus,
} from '../../src/plan/world.ts';
import { accuracy, runsWith } from '../../src/results/runs.ts';
import { jobWith, podWith, running } from '../jobs/world.ts';
import { known } from './caches.ts';

const time = '2026-11-24T12:00:00Z';
const progress = {
  epoch: 3,
  epochs: 10,
  step: 7,
  steps: 20,
  loss: 1.5,
  trainAccuracy: 0.5,
  validationAccuracy: 0.6,
  bestValidationAccuracy: 0.625,
  learningRate: 0.1,
  imagesPerSecond: 400,
  etaSeconds: 90.5,
  updatedAt: '2026-11-24T12:00:00.250Z',
};

let experiments: ReturnType<typeof known<Experiment>>;
let runs: ReturnType<typeof known<Run>>;
let jobs: ReturnType<typeof known<Job>>;
let pods: ReturnType<typeof known<Pod>>;
let failures: Map<string, Map<string, number>>;
let state: StateMetrics;
beforeEach(() => {
  experiments = known<Experiment>([]);
  runs = known<Run>([], { owner: ownerUids });
  jobs = known<Job>([]);
  pods = known<Pod>([], { run: labelValue('destillml.io/run') });
  failures = new Map();
  state = new StateMetrics({ experiments, runs, jobs, pods }, (key) => failures.get(key) ?? new Map());
});

function see(experiment: Experiment, found: readonly Run[]): void {
  experiments.cache.set(experiment);
  runs.cache.replace(found);
}

function text(): string {
  return [...state.parts()].join('');
}

/** Series of a metric, each Run by its short name. */
function series({ name }: { readonly name: string }): readonly string[] {
  const names = new Map([...runs.cache.values()].map((run) => [run.metadata.name, shortName(run)]));
  return text()
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => line.slice(name.length).replace(/run="([^"]*)"/, (_, run) => `run="${names.get(run)}"`));
}

/** The Runs of an Experiment as the plan makes them, with a status for some of them by short name. */
function planned(experiment: Experiment, statuses: Readonly<Record<string, Partial<RunStatus>>>) {
  return apply([], plan({ experiment, runs: [], now })).map((run) => {
    const status = statuses[shortName(run)];
    return status === undefined ? run : withStatus(run, { phase: 'Running', ...status });
  });
}

const place = 'namespace="lab",experiment="study"';
const ofRun = (run: string) => `${place},run="${run}"`;
const identity = {
  'teacher/1': `${ofRun('teacher/1')},stage="main",role="teacher",seed="1"`,
  'baseline/small/1': `${ofRun('baseline/small/1')},stage="main",role="baseline",student="small",seed="1"`,
  'soft/small/1': `${ofRun('soft/small/1')},stage="main",role="distilled",arm="soft",student="small",seed="1"`,
};
const oneArm = { distillation: [{ name: 'soft', softTargets: {} }], seeds: [1] };

describe('the metrics of an Experiment', () => {
  it('say what it is of, in which phase it is, and what its conditions say', () => {
    const condition = (type: string, status: 'True' | 'False', reason: string) => ({
      type,
      status,
      reason,
      message: 'Why.',
      lastTransitionTime: time,
    });
    see(
      {
        ...experimentOf({ queue: 'vision' }),
        status: {
          phase: 'Running',
          startTime: time,
          conditions: [
            condition('Complete', 'False', 'Unfinished'),
            condition('TeacherReady', 'True', 'Met'),
          ],
        },
      },
      [],
    );
    expect(series(experimentMetrics.info)).toEqual([
      `{${place},dataset="mnist",teacher="resnet56",queue="vision"} 1`,
    ]);
    expect(series(experimentMetrics.phase)).toEqual([
      `{${place},phase="Pending"} 0`,
      `{${place},phase="Running"} 1`,
      `{${place},phase="Suspended"} 0`,
      `{${place},phase="Complete"} 0`,
      `{${place},phase="Failed"} 0`,
    ]);
    expect(series(experimentMetrics.condition)).toEqual([
      `{${place},condition="Complete",reason="Unfinished"} 0`,
      `{${place},condition="TeacherReady",reason="Met"} 1`,
    ]);
    expect(series(experimentMetrics.startTime)).toEqual([`{${place}} 1795521600`]);
    expect(series(experimentMetrics.completionTime)).toEqual([]);
  });

  it('count its Runs by phase, and the GPUs that they hold', () => {
    const experiment = {
      ...experimentOf(oneArm),
      metadata: { ...experimentOf(oneArm).metadata, creationTimestamp: time },
    };
    const all = planned(experiment, { 'teacher/1': { phase: 'Running' } });
    see(experiment, all);
    pods.cache.set(podOf(all[0]!, { ...running(), gpus: '2' }));
    expect(series(experimentMetrics.runs)).toEqual(
      runPhases.map((phase) => {
        const count = { Running: 1, Waiting: 2 }[phase as string] ?? 0;
        return `{${place},phase="${phase}"} ${count}`;
      }),
    );
    expect(series(experimentMetrics.gpus)).toEqual([`{${place}} 2`]);
    expect(series(experimentMetrics.createdTime)).toEqual([`{${place}} 1795521600`]);
    pods.cache.replace([]);
    expect(series(experimentMetrics.gpus)).toEqual([`{${place}} 0`]);
  });

  it('are Pending before it was looked at', () => {
    see(experimentOf(), []);
    expect(series(experimentMetrics.phase)).toContain(`{${place},phase="Pending"} 1`);
  });

  it('compare techniques as the table of results does: test accuracy, gain, gap closed, accuracy retained', () => {
    const experiment = experimentOf({ seeds: [1, 2] });
    const results = {
      'teacher/1': accuracy(0.75),
      'baseline/small/1': accuracy(0.5),
      'baseline/small/2': accuracy(0.5),
      'soft/small/1': accuracy(0.625),
      'soft/small/2': accuracy(0.625),
      'attention/small/1': accuracy(0.25),
    };
    see(experiment, runsWith(experiment, results));
    const of = (role: string, arm: string) => `{${place},stage="main",role="${role}",${arm}student="small"}`;
    expect(series(experimentMetrics.testAccuracy)).toEqual([
      `{${place},stage="main",role="teacher"} 0.75`,
      `${of('baseline', '')} 0.5`,
      `${of('distilled', 'arm="soft",')} 0.625`,
      `${of('distilled', 'arm="attention",')} 0.25`,
    ]);
    // Of one seed there is none.
    expect(series(experimentMetrics.testAccuracyDeviation)).toEqual([
      `${of('baseline', '')} 0`,
      `${of('distilled', 'arm="soft",')} 0`,
    ]);
    expect(series(experimentMetrics.gain)).toEqual([
      `${of('distilled', 'arm="soft",')} 0.125`,
      `${of('distilled', 'arm="attention",')} -0.25`,
    ]);
    // Seeds that are all alike have no interval.
    expect(series(experimentMetrics.gainLow)).toEqual([]);
    expect(series(experimentMetrics.gapClosed)).toEqual([
      `${of('distilled', 'arm="soft",')} 0.5`,
      `${of('distilled', 'arm="attention",')} -1`,
    ]);
    expect(series(experimentMetrics.accuracyRetained)).toEqual([
      `${of('baseline', '')} ${0.5 / 0.75}`,
      `${of('distilled', 'arm="soft",')} ${0.625 / 0.75}`,
      `${of('distilled', 'arm="attention",')} ${0.25 / 0.75}`,
    ]);
    // Another scrape, which remembers what is wanted, says the same.
    expect(text()).toBe(text());
  });

  it('tell the ends of the interval of a gain, from two seeds on', () => {
    const experiment = experimentOf({ seeds: [1, 2] });
    const results = {
      'baseline/small/1': accuracy(0.5),
      'baseline/small/2': accuracy(0.5),
      'soft/small/1': accuracy(0.51),
      'soft/small/2': accuracy(0.53),
    };
    see(experiment, runsWith(experiment, results));
    const ends = [experimentMetrics.gainLow, experimentMetrics.gainHigh].map((metric) =>
      Number(series(metric)[0]?.split(' ').at(-1)),
    );
    // SciPy: test/fixtures/statistics.json, the pair 0.01 and 0.03.
    expect(ends).toEqual([expect.closeTo(-0.10706204736, 8), expect.closeTo(0.14706204736, 8)]);
  });

  it('compare with the teacher of another Experiment, and know its network', () => {
    const others = experimentOf({ ...oneArm }, { name: 'others', uid: 'uid-2' });
    const [teacher] = runsWith(others, { 'teacher/1': accuracy(0.75) });
    const study = experimentOf({ ...oneArm, teacher: { from: { experiment: 'others' } } });
    const own = runsWith(study, { 'baseline/small/1': accuracy(0.5) });
    experiments.cache.replace([others, study]);
    runs.cache.replace([...own, teacher!]);
    expect(series(experimentMetrics.info)).toEqual([
      '{namespace="lab",experiment="others",dataset="mnist",teacher="resnet56"} 1',
      `{${place},dataset="mnist",teacher="resnet56"} 1`,
    ]);
    expect(series(experimentMetrics.accuracyRetained)).toEqual([
      `{${place},stage="main",role="baseline",student="small"} ${0.5 / 0.75}`,
    ]);
  });
});

describe('the metrics of a Run', () => {
  it('say what is trained in it, without labels that say nothing of it', () => {
    const experiment = experimentOf(oneArm);
    see(experiment, planned(experiment, {}));
    expect(series(runMetrics.info)).toEqual([
      `{${identity['teacher/1']},model="resnet56",dataset="mnist"} 1`,
      `{${identity['baseline/small/1']},model="resnet8",dataset="mnist"} 1`,
      `{${identity['soft/small/1']},model="resnet8",dataset="mnist"} 1`,
    ]);
  });

  it('say in which phase it is', () => {
    const experiment = experimentOf(oneArm);
    see(experiment, planned(experiment, { 'teacher/1': { phase: 'Running' } }));
    const one = series(runMetrics.phase).filter((line) => line.endsWith(' 1'));
    expect(one).toEqual([
      `{${ofRun('teacher/1')},phase="Running"} 1`,
      `{${ofRun('baseline/small/1')},phase="Waiting"} 1`,
      `{${ofRun('soft/small/1')},phase="Waiting"} 1`,
    ]);
    expect(series(runMetrics.phase)).toHaveLength(3 * runPhases.length);
  });

  it('say what stands in its way, while something does', () => {
    const experiment = experimentOf(oneArm);
    const [teacher, ...others] = planned(experiment, { 'teacher/1': { phase: 'Queued' } });
    const started = { ...teacher!, spec: { ...teacher!.spec, suspend: false } };
    see(experiment, [withProgressing(started, 'False', 'Unschedulable', 'No room.'), ...others]);
    expect(series(runMetrics.blocked)).toEqual([`{${ofRun('teacher/1')},reason="Unschedulable"} 1`]);
    see(experiment, [withProgressing(started, 'True', 'InQueue', 'Waits.'), ...others]);
    expect(series(runMetrics.blocked)).toEqual([]);
  });

  it('say why it is there, with words where it has failed or does not get on', () => {
    const experiment = experimentOf(oneArm);
    const [teacher, ...others] = planned(experiment, {
      'teacher/1': { phase: 'Queued', reason: 'InQueue', message: 'Waits for its turn.' },
      'baseline/small/1': {
        phase: 'Failed',
        reason: 'TrainingDiverged',
        message: `Epoch 3: the "loss" is NaN.${'x'.repeat(300)}`,
      },
    });
    const started = { ...teacher!, spec: { ...teacher!.spec, suspend: false } };
    const failed = `{${ofRun('baseline/small/1')},reason="TrainingDiverged",message="Epoch 3: the \\"loss\\" is NaN.${'x'.repeat(173)}"} 1`;
    see(experiment, [started, ...others]);
    const waits = `{${ofRun('soft/small/1')},reason="TeacherNotReady"} 1`;
    expect(series(runMetrics.reason)).toEqual([`{${ofRun('teacher/1')},reason="InQueue"} 1`, failed, waits]);
    see(experiment, [withProgressing(started, 'False', 'Unschedulable', 'No room.'), ...others]);
    const blocked = `{${ofRun('teacher/1')},reason="Unschedulable",message="No room."} 1`;
    expect(series(runMetrics.reason)).toEqual([blocked, failed, waits]);
  });

  it.each([
    ['its teacher, until that has succeeded', { phase: 'Running' }, {}, 'TeacherNotReady'],
    ['its turn, once it has', { phase: 'Succeeded' }, {}, 'NotItsTurn'],
    ['the Experiment, while that is suspended', { phase: 'Succeeded' }, { suspend: true }, 'Suspended'],
  ] as const)('say that a distilled Run waits for %s', (_, teacher, spec, reason) => {
    const experiment = experimentOf({ ...oneArm, ...spec });
    see(experiment, planned(experiment, { 'teacher/1': teacher }));
    expect(series(runMetrics.reason)).toContain(`{${ofRun('soft/small/1')},reason="${reason}"} 1`);
  });

  it('say since when it has waited: since its Job is there, or since its last pod ended', () => {
    const experiment = experimentOf(oneArm);
    const pod = { uid: 'u', name: 'p', gpuSeconds: 0, endTime: '2026-11-24T12:10:00Z' };
    const all = planned(experiment, {
      'teacher/1': { phase: 'Queued' },
      'baseline/small/1': { phase: 'Starting', pods: [pod] },
      'soft/small/1': { phase: 'Running' },
    });
    see(experiment, all);
    for (const run of all) {
      const { name, namespace } = run.metadata;
      jobs.cache.set(jobWith({ metadata: { name, namespace, creationTimestamp: time } }));
    }
    expect(series(runMetrics.waitingSince)).toEqual([
      `{${ofRun('teacher/1')}} 1795521600`,
      `{${ofRun('baseline/small/1')}} 1795522200`,
    ]);
  });

  it('tell its accuracy by epoch at 16 points at most, at the same epochs as others; none of trials', () => {
    const experiment = experimentOf({ ...oneArm, training: { epochs: 100 } });
    const history = Array.from({ length: 51 }, (_, index) => (index + 1) / 1000);
    const all = planned(experiment, { 'teacher/1': { history }, 'soft/small/1': { history } }).map((run) =>
      run.spec.parameters.role === 'distilled'
        ? {
            ...run,
            spec: { ...run.spec, trial: { study: 'small.soft', number: 1, values: {}, summary: '' } },
          }
        : run,
    );
    see(experiment, all);
    const at = (epoch: number) => `{${identity['teacher/1']},epoch="${epoch}"} ${epoch / 1000}`;
    expect(series(runMetrics.epochAccuracy)).toEqual([7, 14, 21, 28, 35, 42, 49].map(at));
  });

  it('are live while it trains', () => {
    const experiment = experimentOf(oneArm);
    see(experiment, planned(experiment, { 'baseline/small/1': { startTime: time, progress } }));
    const who = identity['baseline/small/1'];
    const which = ofRun('baseline/small/1');
    expect(series(runMetrics.accuracy)).toEqual([
      `{${who},split="train"} 0.5`,
      `{${who},split="validation"} 0.625`,
    ]);
    expect(series(runMetrics.imagesPerSecond)).toEqual([`{${who}} 400`]);
    expect(series(runMetrics.epoch)).toEqual([`{${which}} 3.35`]);
    expect(series(runMetrics.epochs)).toEqual([`{${which}} 10`]);
    expect(series(runMetrics.progressTime)).toEqual([`{${which}} 1795521600.25`]);
    expect(series(runMetrics.eta)).toEqual([`{${which}} 90.5`]);
    expect(series(runMetrics.startTime)).toEqual([`{${which}} 1795521600`]);
    expect(series(runMetrics.completionTime)).toEqual([]);
    expect(series(runMetrics.trainingSeconds)).toEqual([]);
  });

  it('stay when it has ended, with its result', () => {
    const experiment = experimentOf(oneArm);
    const ended = { phase: 'Succeeded', startTime: time, completionTime: time, progress } as const;
    const result = { ...resultOf(0.75, 0.7), testAccuracyTop5: 0.9 };
    see(experiment, planned(experiment, { 'soft/small/1': { ...ended, result } }));
    const who = identity['soft/small/1'];
    expect(series(runMetrics.accuracy)).toEqual([
      `{${who},split="train"} 0.5`,
      `{${who},split="validation"} 0.7`,
      `{${who},split="test"} 0.75`,
    ]);
    expect(series(runMetrics.top5Accuracy)).toEqual([`{${who}} 0.9`]);
    expect(series(runMetrics.trainingSeconds)).toEqual([`{${who}} 72`]);
    expect(series(runMetrics.imagesPerSecond)).toEqual([`{${who}} 431.4`]);
    expect(series(runMetrics.parameters)).toEqual([`{${who}} 78042`]);
    expect(series(runMetrics.flops)).toEqual([`{${who}} 25000000`]);
    expect(series(runMetrics.eta)).toEqual([]);
    expect(series(runMetrics.completionTime)).toEqual([`{${ofRun('soft/small/1')}} 1795521600`]);
  });

  it('count what it has used, from 0 on', () => {
    const experiment = experimentOf(oneArm);
    const used = { attempts: 3, preemptions: 1, gpuSeconds: 7200 };
    see(experiment, planned(experiment, { 'baseline/small/1': used }));
    const counted = (metric: { readonly name: string }) => series(metric).map((line) => line.split('} ')[1]);
    expect(counted(runMetrics.attempts)).toEqual(['0', '3', '0']);
    expect(counted(runMetrics.preemptions)).toEqual(['0', '1', '0']);
    expect(counted(runMetrics.gpuSeconds)).toEqual(['0', '7200', '0']);
  });

  it('tell how many GPUs it holds: those of its pods that have a node and have not ended', () => {
    const experiment = experimentOf(oneArm);
    const all = planned(experiment, {
      'teacher/1': { phase: 'Running' },
      'baseline/small/1': { phase: 'Queued' },
      'soft/small/1': { phase: 'Succeeded' },
    });
    see(experiment, all);
    const of = (index: number, options: Parameters<typeof podWith>[0]) =>
      podOf(all[index]!, { gpus: '2', ...options });
    const copied = podWith({
      name: 'copied',
      metadata: { labels: { 'destillml.io/run': all[0]!.metadata.name }, ownerReferences: [] },
      ...running(),
    });
    pods.cache.replace([of(0, running()), of(1, { node: '' }), of(2, running()), copied]);
    expect(series(runMetrics.gpus)).toEqual([`{${identity['teacher/1']}} 2`]);
    pods.cache.replace([of(0, { status: { phase: 'Failed' } })]);
    expect(series(runMetrics.gpus)).toEqual([]);
  });

  it('tell of failures by reason, of those reasons alone that there were', () => {
    const experiment = experimentOf(oneArm);
    const all = planned(experiment, {
      'teacher/1': { phase: 'Failed' },
      'baseline/small/1': { phase: 'Running' },
    });
    see(experiment, all);
    failures.set(`lab/${all[0]!.metadata.name}`, new Map([['TrainingDiverged', 1]]));
    failures.set(`lab/${all[1]!.metadata.name}`, new Map([['OutOfMemory', 2]]));
    expect(series(runMetrics.failures)).toEqual([
      `{${ofRun('teacher/1')},reason="TrainingDiverged"} 1`,
      `{${ofRun('baseline/small/1')},reason="OutOfMemory"} 2`,
    ]);
  });

  it('tell the values that a Run of a search tries', () => {
    const values = { 'training.optimizer.learningRate': 0.5, 'dataset.augmentation.crop': false };
    const experiment = experimentOf(oneArm);
    const runs = planned(experiment, {}).map((run) =>
      run.spec.parameters.role === 'distilled'
        ? { ...run, spec: { ...run.spec, trial: { study: 'small.soft', number: 1, values, summary: '' } } }
        : run,
    );
    see(experiment, runs);
    const of = (parameter: string) => `{${ofRun('soft/small/#1')},parameter="${parameter}"}`;
    expect(series(runMetrics.parameter)).toEqual([
      `${of('training.optimizer.learningRate')} 0.5`,
      `${of('dataset.augmentation.crop')} 0`,
    ]);
    expect(series(runMetrics.trial)).toEqual([`{${ofRun('soft/small/#1')},study="small.soft"} 1`]);
  });

  it('tell how far a Run has come that is paused, with one series of its own beside those of every Run', () => {
    const experiment = experimentOf(oneArm);
    const rungs = [{ epoch: 3, validationAccuracy: 0.5 }];
    see(experiment, planned(experiment, { 'soft/small/1': { phase: 'Paused', rungs } }));
    expect(series(runMetrics.epoch)).toEqual([`{${ofRun('soft/small/1')}} 3`]);
  });
});

describe('metrics of the studies of a sweep', () => {
  it('are its Runs by phase, and the best so far', () => {
    const studies = [
      {
        name: 'small.soft',
        state: 'Searching' as const,
        reason: 'Training',
        message: 'Two train.',
        runs: { Running: 2, Paused: 7, Failed: 1 },
        best: {
          run: 'study-small-soft-t4',
          number: 4,
          validationAccuracy: 0.9,
          values: { 'training.optimizer.learningRate': 0.1, 'dataset.augmentation.crop': true },
        },
      },
      { name: 'small.baseline', state: 'Waiting' as const, reason: 'NoRun', message: 'None.', runs: {} },
    ];
    see({ ...experimentOf(oneArm), status: { conditions: [], studies } } as Experiment, []);
    const of = 'namespace="lab",experiment="study",study="small.soft"';
    expect(series(experimentMetrics.studyRuns)).toEqual([
      `{${of},phase="Running"} 2`,
      `{${of},phase="Paused"} 7`,
      `{${of},phase="Failed"} 1`,
    ]);
    expect(series(experimentMetrics.studyBestAccuracy)).toEqual([`{${of}} 0.9`]);
    expect(series(experimentMetrics.studyBestValue)).toEqual([
      `{${of},parameter="training.optimizer.learningRate"} 0.1`,
      `{${of},parameter="dataset.augmentation.crop"} 1`,
    ]);
  });
});

/** A pod that the Job of a Run has made. */
function podOf(
  run: Run,
  { gpus, ...options }: Parameters<typeof podWith>[0] & { readonly gpus: string },
): Pod {
  const { name } = run.metadata;
  const labels = { 'destillml.io/run': name };
  const annotations = { 'destillml.io/gpus': gpus };
  const ownerReferences = [
    { apiVersion: 'batch/v1', kind: 'Job', name, uid: `job-${name}`, controller: true },
  ];
  return podWith({ name: `pod-${name}`, metadata: { labels, annotations, ownerReferences }, ...options });
}

/** What an explanation by one method says of each network. */
function ofMaps(
  agreement: number[],
  topOverlap: number[],
  insertion: number[],
  deletion: number[],
): ExplanationResult {
  const maps = [{ map: 'gradCam' as const, agreement, topOverlap, insertion, deletion }];
  return { images: 4, seconds: 60, maps, artifacts: 'runs/x' };
}

/** The Runs of an Experiment once all of those before have ended well, and the explanation that came then too. */
function explained(
  experiment: Experiment,
  explanation: ExplanationResult,
  { before = [], completionTime = time }: { before?: readonly Run[]; completionTime?: string } = {},
): readonly Run[] {
  const teacher = experiment.spec.teacher.from && { run: 'resnet56-of-others' };
  const asked = { experiment, now, ...(teacher ? { teacher } : {}) };
  const trained = report(apply(before, plan({ ...asked, runs: before })), (run) =>
    run.status === undefined ? { phase: 'Succeeded', result: resultOf(0.5) } : undefined,
  );
  return report(apply(trained, plan({ ...asked, runs: trained })), (run) =>
    run.status === undefined ? { phase: 'Succeeded', explanation, completionTime } : undefined,
  );
}

describe('the metrics of an explanation', () => {
  const explain = { methods: ['gradCam'], images: 4 };
  const experiment = experimentOf({ ...oneArm, explain });
  const looks = ofMaps([1, 0.25, 0.75], [1, 0.2, 0.5], [0.6, 0.5, 0.55], [0.1, 0.3, 0.2]);

  it('tell of each network and map, by the Run that trained the network', () => {
    see(experiment, explained(experiment, looks));
    const [teacher, baseline, soft] = Object.values(identity).map((who) => `{${who},map="gradCam"}`);
    expect(series(explanationMetrics.agreement)).toEqual([
      `${teacher} 1`,
      `${baseline} 0.25`,
      `${soft} 0.75`,
    ]);
    expect(series(explanationMetrics.topOverlap)).toEqual([`${teacher} 1`, `${baseline} 0.2`, `${soft} 0.5`]);
    expect(series(explanationMetrics.insertion)).toEqual([
      `${teacher} 0.6`,
      `${baseline} 0.5`,
      `${soft} 0.55`,
    ]);
    expect(series(explanationMetrics.deletion)).toEqual([`${teacher} 0.1`, `${baseline} 0.3`, `${soft} 0.2`]);
  });

  it('are not there before it has ended', () => {
    const all = explained(experiment, looks).map((run) => {
      const { explanation: _, ...status } = run.status ?? { phase: 'Running', conditions: [] };
      return { ...run, status };
    });
    see(experiment, all);
    for (const metric of Object.values(explanationMetrics)) expect(series(metric)).toEqual([]);
  });

  it('are those of the last, where an arm was added and explained too', () => {
    const more = experimentOf({
      explain,
      seeds: [1],
      distillation: [...experiment.spec.distillation, { name: 'hints', hints: {} }],
    });
    const first = explained(experiment, looks);
    const agreement = [1, 0.3, 0.8, 0.4];
    const second = explained(more, ofMaps(agreement, agreement, agreement, agreement), {
      before: first,
      completionTime: '2026-11-24T13:00:00Z',
    });
    see(more, second);
    expect(second.filter((run) => run.spec.parameters.role === 'explanation')).toHaveLength(2);
    expect(series(explanationMetrics.agreement)).toEqual([
      `{${identity['teacher/1']},map="gradCam"} 1`,
      `{${identity['baseline/small/1']},map="gradCam"} 0.3`,
      `{${identity['soft/small/1']},map="gradCam"} 0.8`,
      `{${ofRun('hints/small/1')},stage="main",role="distilled",arm="hints",student="small",seed="1",map="gradCam"} 0.4`,
    ]);
  });

  it('know the teacher of another Experiment as one of no seed', () => {
    const others = experimentOf({ ...oneArm }, { name: 'others', uid: 'uid-2' });
    const [trained] = runsWith(others, { 'teacher/1': accuracy(0.75) });
    const teacher = { ...trained!, metadata: { ...trained!.metadata, name: 'resnet56-of-others' } };
    const study = experimentOf({ ...oneArm, explain, teacher: { from: { run: teacher.metadata.name } } });
    experiments.cache.replace([others, study]);
    runs.cache.replace([teacher, ...explained(study, looks)]);
    expect(series(explanationMetrics.agreement)).toEqual([
      `{${ofRun('teacher/1')},stage="main",role="teacher",map="gradCam"} 1`,
      `{${identity['baseline/small/1']},map="gradCam"} 0.25`,
      `{${identity['soft/small/1']},map="gradCam"} 0.75`,
    ]);
  });

  it('go with the Run that trained the network', () => {
    const all = explained(experiment, looks);
    see(
      experiment,
      all.filter((run) => shortName(run) !== 'soft/small/1'),
    );
    expect(series(explanationMetrics.agreement)).toEqual([
      `{${identity['teacher/1']},map="gradCam"} 1`,
      `{${identity['baseline/small/1']},map="gradCam"} 0.25`,
    ]);
  });
});

describe('what is exported', () => {
  it('has, of what was deleted, no series left', () => {
    const experiment = experimentOf(oneArm);
    const all = planned(experiment, { 'teacher/1': { progress }, 'soft/small/1': { progress } });
    see(experiment, all);
    runs.cache.delete(all[0]!);
    expect(text()).not.toContain(all[0]!.metadata.name);
    expect(series(runMetrics.epoch)).toEqual([`{${ofRun('soft/small/1')}} 3.35`]);
    runs.cache.replace([]);
    experiments.cache.delete(experiment);
    expect(text()).not.toContain('{');
  });

  it('is nothing before all is known: what is missing would look as if it were deleted', () => {
    see(experimentOf(), []);
    pods.isSynced = false;
    expect(text()).toBe('');
    pods.isSynced = true;
    expect(text()).not.toBe('');
  });

  it('is every metric of Experiments, Runs and explanations of the catalogue but the histograms, as it describes them', () => {
    const experiment = experimentOf({ ...oneArm, explain: { methods: ['gradCam'] } });
    const all = explained(experiment, ofMaps([1], [1], [0.6], [0.1]));
    see(
      experiment,
      report(all, (run) => ({ phase: 'Succeeded', ...run.status, progress })),
    );
    const said = text();
    const told = [...said.matchAll(/^# HELP (\w+) (.*)\n# TYPE \1 (\w+)$/gm)].map(([, name, help, type]) => ({
      name,
      help,
      type,
    }));
    const described = metrics
      .filter(
        ({ name, type }) =>
          /^destillml_(experiment|study|run|explanation)_/.test(name) && type !== 'histogram',
      )
      .map(({ name, help, type }) => ({ name, help, type }));
    expect(told).toEqual(described);

    const labels = new Map(metrics.map((metric) => [metric.name, metric.labels]));
    for (const line of said.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
      const [, name = '', pairs = ''] = /^(\w+)\{(.*)\} -?\d+(?:\.\d+)?$/.exec(line) ?? [];
      const used = [...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label);
      expect(labels.get(name), line).toEqual(expect.arrayContaining(used));
    }
  });
});
