import { describe, expect, it } from 'vitest';
import type { Run } from '../../../operator/controllers/kinds.ts';
import { decideRun, type RunScene } from '../../../operator/controllers/run-decision.ts';
import { jobFor } from '../../../operator/jobs/job.ts';
import {
  config,
  distilled,
  event,
  experimentWith,
  jobWith,
  now,
  type PodOptions,
  podWith,
  queuedExperiment,
  queuedJob,
  result,
  running,
  runWith,
  terminated,
  unschedulable,
  waiting,
  workloadWith,
} from '../jobs/world.ts';

/** Seconds before `now`. */
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();
const young = jobWith({ metadata: { creationTimestamp: ago(1) } });
const youngInQueue = jobWith({
  metadata: { creationTimestamp: ago(1) },
  suspend: true,
  experiment: queuedExperiment,
});
const stop = { reason: 'NoLongerWanted', message: 'The Experiment no longer asks for it.' };
const refused = { reason: 'QuotaExceeded', message: 'Its Job cannot be created: no room.' };
const stopped = runWith({}, { spec: { stop } });
const paused = runWith({}, { spec: { suspend: true } });

const sceneOf = (scene: Partial<RunScene>): RunScene => ({
  run: runWith(),
  experiment: experimentWith(),
  teacherOwner: undefined,
  job: undefined,
  pods: [],
  podsRead: true,
  workload: undefined,
  teacher: undefined,
  unwrittenFor: Number.POSITIVE_INFINITY,
  events: undefined,
  now,
  ...scene,
});
const decide = (scene: Partial<RunScene>) => decideRun(sceneOf(scene), config);

/** The Run with what is decided about it written down, progress included. */
function afterwards(scene: Partial<RunScene>): Run {
  const { run, ...rest } = sceneOf(scene);
  const status = decide({ run, ...rest }).status ?? decide({ run, ...rest, now: new Date(8e12) }).status;
  return { ...run, ...(status ? { status: { ...status, history: [0.5] } } : {}) };
}

/** What is decided, in short. */
function short(scene: Partial<RunScene>) {
  const { create, deleteJob, status, needsPods, needsEvents, requeueAfter } = decide(scene);
  return {
    ...(needsPods ? { needsPods } : {}),
    ...(create ? { creates: create.metadata.name } : {}),
    ...(deleteJob ? { deletesJob: true } : {}),
    ...(status ? { status: `${status.phase} ${status.reason}` } : {}),
    ...(needsEvents ? { needsEvents } : {}),
    ...(requeueAfter === undefined ? {} : { requeueAfter }),
  };
}

const { storage: _storage, ...withoutStorage } = experimentWith().spec;
const lost = { ...experimentWith(), spec: withoutStorage };
const fewerGpus = experimentWith({ pod: { gpus: 1 } });
const foreignPod = podWith({ ...running(), metadata: { labels: { 'destillml.io/run-uid': 'another' } } });
/** Told of its pod before its Job went. */
const known = runWith(
  {},
  {
    status: {
      phase: 'Starting',
      pods: [{ uid: 'uid-of-study-run-abcde', name: 'study-run-abcde', gpuSeconds: 0 }],
    },
  },
);
const pods = (...options: PodOptions[]) => options.map((each) => podWith(each));

const outOfRetries = ['FailureTarget', 'Failed'].map((type) => ({
  type,
  status: 'True',
  reason: 'BackoffLimitExceeded',
  message: 'Job has reached the specified backoff limit',
}));
const leaving = { metadata: { deletionTimestamp: ago(1), deletionGracePeriodSeconds: 120 } };
/** As a kubelet leaves a pod that was deleted while its image was pulled. */
const unknown = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
};
const [trainer] = waiting('ContainerCreating').status?.containerStatuses ?? [];
const neverBegan: PodOptions = {
  ...leaving,
  status: { phase: 'Failed', containerStatuses: [{ ...trainer!, state: { terminated: unknown } }] },
};
const workloadOf = (second: number) => {
  const { metadata, ...rest } = workloadWith({});
  return { ...rest, metadata: { ...metadata, creationTimestamp: `2026-11-24T12:00:3${second}Z` } };
};
/** A teacher that waits, whose Workload was seen so long ago. */
const teacherKnownFor = (milliseconds: number) => ({
  job: queuedJob({ suspend: true }),
  workload: workloadOf(1),
  knownFor: milliseconds,
});
const observed = runWith({}, { status: { phase: 'Starting', observedGeneration: 2 } });
const complete = jobWith({ conditions: [{ type: 'Complete', status: 'True' }] });
const unread = afterwards({ job: complete, pods: pods(terminated(0)) });

const runTo = (untilEpoch: number, spec: Partial<Run['spec']> = {}) =>
  runWith({ training: { epochs: 240 } }, { spec: { untilEpoch, ...spec } });
const jobTo = (untilEpoch: number, conditions = complete.status!.conditions!) =>
  jobWith({ run: runTo(untilEpoch), conditions });
const atRung = terminated(0, { outcome: 'paused', epoch: 30, validationAccuracy: 0.7 });
/** It has come to epoch 30, and its spec has been changed since. */
const pausedAt30 = (spec: Partial<Run['spec']> = {}) => ({
  ...runTo(30, spec),
  status: afterwards({ run: runTo(30), job: jobTo(30), pods: pods(atRung) }).status!,
});

const rows: Record<string, [scene: Partial<RunScene>, decision: object]> = {
  'a Run that was only created': [
    { run: { ...paused, metadata: { ...paused.metadata, generation: 1 } } },
    {},
  ],
  'a Run that is paused before it started': [{ run: paused }, { status: 'Waiting NotStarted' }],
  'a Run whose turn it is': [{}, { creates: 'study-run' }],
  'a Run whose Job was deleted': [
    { run: runWith({}, { status: { phase: 'Running', attempts: 1 } }) },
    { creates: 'study-run' },
  ],
  'a Run whose Job was deleted, while its pod still trains': [
    { run: known, pods: pods(running()) },
    { status: 'Running JobDeleted', requeueAfter: 60_000 },
  ],
  'a Run whose Job was deleted, before anything was written of its pod, which still trains': [
    { pods: pods(running()) },
    { status: 'Queued JobOutdated', requeueAfter: 15_000 },
  ],
  'a Run whose Job was deleted, when its pod has ended': [
    { run: known, pods: pods(terminated(75, { outcome: 'preempted', epoch: 4, step: 0 })) },
    { creates: 'study-run', status: 'Queued JobPending' },
  ],
  'a Run whose Job has gone by the cache, before its pods are read': [
    { run: observed, podsRead: false },
    { needsPods: true },
  ],
  'a Run that had no Job yet, of which the cache is enough': [{ podsRead: false }, { creates: 'study-run' }],
  'a Run whose trainer ended well without a word': [
    { job: complete, pods: pods(terminated(0)) },
    { status: 'Queued ResultUnread' },
  ],
  'a Run whose result is to be read by another Job, once that is written': [
    { run: unread, job: complete, pods: pods(terminated(0)) },
    { deletesJob: true },
  ],
  'a Run whose result is to be read by another Job, once there is none': [
    { run: unread, pods: pods(terminated(0)) },
    { creates: 'study-run' },
  ],
  'a Run while a pod of a deleted Run of its name still trains': [
    { pods: [foreignPod] },
    { status: 'Queued JobOutdated', requeueAfter: 15_000 },
  ],
  'a Run whose Job is on its way out': [
    { job: jobWith({ metadata: { deletionTimestamp: ago(5) } }) },
    { status: 'Queued JobOutdated', requeueAfter: 15_000 },
  ],
  'a Run whose name a Job of somebody else has': [
    { job: jobWith({ metadata: { ownerReferences: [] } }) },
    { status: 'Queued JobOutdated', requeueAfter: 15_000 },
  ],
  'a Run whose Job may not be created': [{ refused }, { status: 'Queued QuotaExceeded' }],
  'a Run whose Job may not be deleted': [
    { run: paused, job: jobWith(), pods: pods(running()), refused },
    { status: 'Running QuotaExceeded' },
  ],
  'a Run that waits, of which something may not be written': [
    { run: { ...paused, metadata: { ...paused.metadata, generation: 1 } }, refused },
    { status: 'Waiting QuotaExceeded' },
  ],
  'a Run that has just ended, whose Job may not be deleted': [
    { job: jobWith(), pods: pods(terminated(0, { outcome: 'succeeded', result })), refused },
    { status: 'Succeeded Trained' },
  ],
  'a distilled Run whose teacher left no network': [
    { run: runWith(distilled), experiment: lost },
    { status: 'Queued TeacherMissing' },
  ],
  'a Run of an Experiment that is being deleted': [
    { experiment: experimentWith({}, { deletionTimestamp: ago(1) }) },
    {},
  ],
  'a Run that goes with its Experiment': [
    {
      experiment: undefined,
      run: {
        ...runWith(),
        metadata: {
          ...runWith().metadata,
          ownerReferences: [{ kind: 'Experiment', name: 'study', uid: 'x', apiVersion: '' }],
        },
      },
    },
    {},
  ],
  'a Run whose Experiment was deleted without it': [
    { experiment: undefined },
    { status: 'Queued InvalidSpec' },
  ],
  'a Run that is being deleted': [
    { run: { ...runWith(), metadata: { ...runWith().metadata, deletionTimestamp: ago(1) } }, job: jobWith() },
    {},
  ],

  'a new Job, whose pod is about to come': [{ job: young }, { requeueAfter: 2_000 }],
  'a Job without a pod for some seconds': [
    { job: jobWith({ metadata: { creationTimestamp: ago(3) } }) },
    { status: 'Queued PodPending', requeueAfter: 2_000 },
  ],
  'a Job without a pod for long': [
    { job: jobWith({ metadata: { creationTimestamp: ago(30) } }) },
    { status: 'Queued PodPending', needsEvents: true, requeueAfter: 15_000 },
  ],
  'a Job whose pods the quota forbids': [
    {
      job: jobWith(),
      events: [event('job-uid', 'FailedCreate', 'exceeded quota: gpus, requested: 2, used: 0, limited: 1')],
    },
    { status: 'Queued QuotaExceeded', requeueAfter: 15_000 },
  ],
  'a new Job whose pod fits nowhere': [
    { job: young, pods: pods(unschedulable('0/1 nodes are available: 1 Insufficient nvidia.com/gpu.')) },
    { status: 'Queued Unschedulable' },
  ],
  'a new Job that is made in ten minutes, by a clock that is behind': [
    { job: jobWith({ metadata: { creationTimestamp: ago(-600) } }), pods: pods(running()) },
    { requeueAfter: 3_000 },
  ],
  'a new Job, whose pod trains already': [{ job: young, pods: pods(running()) }, { requeueAfter: 2_000 }],
  'a pod that trains': [
    { job: jobWith(), pods: pods(running()) },
    { status: 'Running Training', requeueAfter: 60_000 },
  ],
  'a pod that has trained': [
    { job: jobWith(), pods: pods(terminated(0, { outcome: 'succeeded', result })) },
    { status: 'Succeeded Trained' },
  ],

  'a pod that has come to its rung': [
    { run: runTo(30), job: jobTo(30, []), pods: pods(atRung) },
    { status: 'Paused AtRung' },
  ],
  'a Job that is complete at its rung, by the cache': [
    { run: runTo(30), job: jobTo(30), pods: pods(running()), podsRead: false },
    { needsPods: true },
  ],
  'a Run at its rung': [{ run: pausedAt30(), job: jobTo(30), podsRead: false }, {}],
  'a Run at its rung whose Job is gone': [{ run: pausedAt30(), podsRead: false }, {}],
  'a Run at its rung that may not train': [
    { run: pausedAt30({ suspend: true }), job: jobTo(30, []), pods: pods(atRung) },
    {},
  ],
  'a Run at its rung that is stopped': [
    { run: pausedAt30({ stop }), job: jobTo(30), podsRead: false },
    { status: 'Stopped NoLongerWanted' },
  ],
  'a Run at its rung whose Experiment asks for other pods by now': [
    { run: pausedAt30(), job: jobTo(30), experiment: fewerGpus, podsRead: false },
    {},
  ],
  'a Run that is trained on': [
    { run: pausedAt30({ untilEpoch: 90 }), job: jobTo(30), podsRead: false },
    { deletesJob: true, status: 'Queued Promoted' },
  ],
  'a Run that is trained on, whose Job is on its way out': [
    {
      run: afterwards({ run: pausedAt30({ untilEpoch: 90 }), job: jobTo(30) }),
      job: { ...jobTo(30), metadata: { ...jobTo(30).metadata, deletionTimestamp: ago(1) } },
      podsRead: false,
    },
    {},
  ],
  'a Run that is trained on, whose Job has gone': [
    { run: pausedAt30({ untilEpoch: 90 }), pods: pods(atRung) },
    { creates: 'study-run' },
  ],
  'a Run that is trained on, once it may train': [
    { run: pausedAt30({ untilEpoch: 90, suspend: true }), job: jobTo(30), podsRead: false },
    { status: 'Waiting Paused' },
  ],
  'a Run that was to be trained on while it trained': [
    { run: runTo(90), job: jobTo(30), pods: pods(atRung) },
    { deletesJob: true, status: 'Queued Promoted' },
  ],
  'a Run that is to be trained on while it trains': [
    { run: runTo(90), job: jobTo(30, []), pods: pods(running()) },
    { status: 'Running Training', requeueAfter: 60_000 },
  ],

  'a Run that is paused': [
    { run: paused, job: jobWith(), pods: pods(running()) },
    { deletesJob: true, status: 'Running Pausing', requeueAfter: 60_000 },
  ],
  'a Run that is stopped': [
    { run: stopped, job: jobWith(), pods: pods(running()) },
    { deletesJob: true, status: 'Running Stopping', requeueAfter: 60_000 },
  ],
  'a Run that is paused, whose Job is on its way out': [
    { run: paused, job: jobWith({ metadata: { deletionTimestamp: ago(1) } }), pods: pods(running()) },
    { status: 'Running Pausing', requeueAfter: 60_000 },
  ],
  'a Run that is paused as it ends': [
    {
      run: paused,
      job: jobWith({ conditions: [{ type: 'Complete', status: 'True' }] }),
      pods: pods(terminated(0, { outcome: 'succeeded', result })),
    },
    { status: 'Succeeded Trained' },
  ],
  'a Run that is stopped before it started': [{ run: stopped }, { status: 'Skipped NoLongerWanted' }],
  'a Run that waits for Kueue': [
    { job: queuedJob({ suspend: true }), experiment: queuedExperiment, workload: workloadWith({}) },
    { status: 'Queued InQueue' },
  ],
  'a Run whose Experiment asks for other pods by now, before its own trains': [
    { job: jobWith(), experiment: fewerGpus, pods: pods(unschedulable('0/1 nodes are available.')) },
    { deletesJob: true, status: 'Queued Unschedulable' },
  ],
  'a Run whose Experiment asks for other pods by now, between two attempts': [
    { job: jobWith(), experiment: fewerGpus, pods: pods(terminated(1)) },
    { deletesJob: true, status: 'Starting UnreadableTerminationMessage' },
  ],
  'a Run whose Experiment asks for other pods by now, while its own trains': [
    { job: jobWith(), experiment: fewerGpus, pods: pods(running()) },
    { status: 'Running Training', requeueAfter: 60_000 },
  ],
  'a Run whose Job somebody suspended, and whose Experiment asks for other pods by now': [
    { job: jobWith({ suspend: true }), experiment: fewerGpus },
    { status: 'Waiting JobSuspended' },
  ],
  'a Run that is held, whose Experiment asks for another queue by now': [
    { job: queuedJob({ suspend: true }), workload: workloadWith({}, { active: false }) },
    { status: 'Queued Held' },
  ],
  'a Run of a queue before Kueue has taken up its teacher': [
    { experiment: queuedExperiment, teacher: { job: youngInQueue, workload: undefined, knownFor: 0 } },
    { requeueAfter: 1_000 },
  ],
  'a Run of a queue long before Kueue takes up its teacher': [
    {
      experiment: queuedExperiment,
      teacher: { job: queuedJob({ suspend: true }), workload: undefined, knownFor: 0 },
    },
    { status: 'Queued AfterTeacher', requeueAfter: 1_000 },
  ],
  'a Run of a queue in the second of its teacher': [
    { experiment: queuedExperiment, teacher: teacherKnownFor(400) },
    { requeueAfter: 1_100 },
  ],
  'a Run of a queue after its teacher': [
    { experiment: queuedExperiment, teacher: teacherKnownFor(1_500) },
    { creates: 'study-run' },
  ],
  'a Run that waits in a queue before its teacher': [
    {
      job: queuedJob({ suspend: true }),
      experiment: queuedExperiment,
      workload: workloadOf(0),
      teacher: teacherKnownFor(10_000),
    },
    { deletesJob: true, status: 'Queued InQueue' },
  ],
  'a Run that waits in a queue behind its teacher': [
    {
      job: queuedJob({ suspend: true }),
      experiment: queuedExperiment,
      workload: workloadOf(2),
      teacher: teacherKnownFor(10_000),
    },
    { status: 'Queued InQueue' },
  ],
  'a Run whose Job gave up as its only pod was taken away before it began': [
    { job: jobWith({ conditions: outOfRetries }), pods: pods(neverBegan) },
    { deletesJob: true, status: 'Queued JobReplaced' },
  ],
  'a Run that is stopped, whose Job gave up as its only pod was taken away': [
    { run: stopped, job: jobWith({ conditions: outOfRetries }), pods: pods(neverBegan) },
    { deletesJob: true, status: 'Queued Stopping' },
  ],
  'a Run that is paused, whose Job gave up as its only pod was taken away before': [
    {
      run: runWith(
        {},
        {
          spec: { suspend: true },
          status: { pods: [{ uid: 'gone', name: 'gone', gpuSeconds: 0, outcome: 'Preempted' }] },
        },
      ),
      job: jobWith({ conditions: outOfRetries }),
    },
    { deletesJob: true, status: 'Waiting NotStarted' },
  ],
  'a Run whose Job gave up, whose pod is not known to have ended': [
    {
      job: jobWith({ conditions: outOfRetries }),
      pods: pods({ ...waiting('ContainerCreating'), ...leaving }),
    },
    { status: 'Starting BackoffLimitExceeded' },
  ],
  'a Run that Kueue gave up': [
    {
      job: queuedJob({ suspend: true }),
      workload: workloadWith({ Finished: ['True', 'FailedToStart', 'conflicting node selectors'] }),
    },
    { deletesJob: true, status: 'Failed FailedToStart' },
  ],
};

describe('what a Run needs next', () => {
  it('is no write each time that Kueue has other words for the same', () => {
    const says = (message: string) => ({
      job: queuedJob({ suspend: true }),
      experiment: queuedExperiment,
      workload: workloadWith({ QuotaReserved: ['False', 'Pending', message] }),
    });
    const run = afterwards(says('insufficient unused quota, 2 more needed'));
    const scene = { ...says('insufficient unused quota, 1 more needed'), run };
    expect(short({ ...scene, unwrittenFor: 20_000 })).toEqual({ requeueAfter: 40_000 });
    expect(short({ ...scene, unwrittenFor: 60_000 })).toEqual({ status: 'Queued InQueue' });
    const stopped = {
      ...scene,
      workload: workloadWith({ QuotaReserved: ['False', 'Inadmissible', 'ClusterQueue lab is stopped'] }),
    };
    expect(short({ ...stopped, unwrittenFor: 0 })).toEqual({ status: 'Queued QueueStopped' });
  });

  it('is a Job with the retries that are left', () => {
    const run = runWith({}, { status: { failures: 2 } });
    expect(decide({ run }).create?.spec?.backoffLimit).toBe(1);
    const spent = runWith({}, { status: { failures: 9 } });
    expect(decide({ run: spent }).create?.spec?.backoffLimit).toBe(0);
  });

  it('is a Job to the epoch that its spec says by now, with the retries that are left', () => {
    const known = pausedAt30({ untilEpoch: 90 });
    const run = { ...known, status: { ...known.status, failures: 1 } };
    const { create } = decide({ run });
    expect(create?.metadata.annotations).toMatchObject({ 'destillml.io/until-epoch': '90' });
    expect(create?.spec?.backoffLimit).toBe(2);
    const told = create?.spec?.template.spec?.containers[0]?.env?.find(
      ({ name }) => name === 'DESTILL_ASSIGNMENT',
    );
    expect(JSON.parse(told?.value ?? '')).toMatchObject({ untilEpoch: 90 });
  });

  it('is a Job to the end where its spec says no epoch, or its last', () => {
    const { untilEpoch: _, ...spec } = pausedAt30().spec;
    for (const run of [{ ...pausedAt30(), spec }, pausedAt30({ untilEpoch: 240 })]) {
      expect(decide({ run }).create?.metadata.annotations).not.toHaveProperty('destillml.io/until-epoch');
    }
  });

  it.each(Object.entries(rows))('%s', (_name, [scene, decision]) => {
    expect(short(scene)).toEqual(decision);
  });

  it.each(Object.entries(rows))('%s: written down, nothing is written again', (_name, [scene]) => {
    if (decide(scene).create) return;
    expect(decide({ ...scene, run: afterwards(scene) }).status).toBeUndefined();
  });

  it('is the Job that its parameters, its Experiment and the configuration make', () => {
    expect(decide({}).create).toEqual(jobFor(runWith(), experimentWith(), config));
  });

  it.each(['Succeeded', 'Failed', 'Stopped', 'Skipped'] as const)('is nothing once it has %s', (phase) => {
    const run = runWith({}, { status: { phase } });
    expect(decide({ run })).toEqual({
      deleteJob: false,
      status: undefined,
      needsPods: false,
      needsEvents: false,
    });
    expect(decide({ run, job: jobWith(), pods: pods(running()) }).create).toBeUndefined();
  });
});
