import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../operator/jobs/objects.ts';
import type { ObservedRun } from '../../../operator/jobs/phase.ts';
import { observe } from '../../../operator/jobs/phase.ts';
import { type Run, runStatus } from '../../../src/api/run.ts';
import { type Expected, statusOf } from './expectation.ts';
import {
  created,
  event,
  experimentWith,
  failedWord,
  finished,
  jobWith,
  now,
  type PodOptions,
  podWith,
  queuedJob,
  result,
  running,
  runWith,
  started,
  terminated,
  unschedulable,
  type WorkloadConditions,
  waiting,
  workloadWith,
} from './world.ts';

type Row = Partial<Omit<ObservedRun, 'now'>>;

const see = (row: Row) =>
  observe({ run: runWith(), experiment: experimentWith(), pods: [], podsRead: true, now, ...row });
const { storage: _storage, ...withoutStorage } = experimentWith().spec;
const noStorage = { ...experimentWith(), spec: withoutStorage };

/** What is recorded of the pod `podWith` makes. */
const record = { uid: 'uid-of-study-run-abcde', name: 'study-run-abcde', node: 'gpu-1' };
const bound = { pods: [{ ...record, gpuSeconds: 0 }] };
/** A Run that was told of its pod before its Job went. */
const knowing = (spec: Partial<Run['spec']> = {}): Run => runWith({}, { spec, status: { ...bound } });
/** Two GPUs for ten full minutes. */
const training = {
  attempts: 1,
  gpuSeconds: 1200,
  startTime: started,
  pods: [{ ...record, startTime: started, gpuSeconds: 1200 }],
};
/** Two GPUs for 500 s. */
const ended = (outcome: 'Succeeded' | 'Failed' | 'Preempted' | 'Stopped') => ({
  attempts: 1,
  ...(outcome === 'Failed' ? { failures: 1 } : {}),
  preemptions: outcome === 'Preempted' ? 1 : 0,
  gpuSeconds: 1000,
  startTime: started,
  pods: [{ ...record, startTime: started, endTime: finished, gpuSeconds: 1000, outcome }],
});
const goesOn = 'Another attempt follows and goes on from the last checkpoint.';

const condition = (type: string, reason: string, message: string) => ({
  type,
  status: 'True',
  reason,
  message,
});
const complete = [
  condition('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods'),
  condition('Complete', 'CompletionsReached', 'Reached expected number of succeeded pods'),
];
const jobFailed = (reason: string, message: string) => [
  condition('FailureTarget', reason, message),
  condition('Failed', reason, message),
];
const backoff = jobFailed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');

type Table = Readonly<Record<string, readonly [seen: Row, expected: Expected]>>;

function check(table: Table): void {
  it.each(Object.entries(table))('%s', (_name, [seen, expected]) => {
    const { status } = see(seen);
    expect(status).toEqual(statusOf(expected));
    expect(runStatus.safeParse(status)).toMatchObject({ success: true });
  });
}

describe('before there is a pod', () => {
  const quota =
    'exceeded quota: gpus, requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=4, limited: requests.nvidia.com/gpu=4';
  const quotaText =
    'ResourceQuota gpus of namespace lab leaves no room for its pod (requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=4, limited: requests.nvidia.com/gpu=4). It starts when other pods of the namespace have ended; or ask for less in spec.pod, or for a larger quota.';
  check({
    'a Run that may not start waits': [
      { run: runWith({}, { spec: { suspend: true } }) },
      { phase: 'Waiting', reason: 'NotStarted', message: 'Waits for its teacher or its turn.' },
    ],
    'a Run without its Job is queued': [
      {},
      { phase: 'Queued', reason: 'JobPending', message: 'Its Job is about to be created.' },
    ],
    'the Job of a deleted Run of the same name has to go first': [
      { job: jobWith({ metadata: { ownerReferences: [{ uid: 'old-run' }] }, conditions: complete }) },
      {
        phase: 'Queued',
        reason: 'JobOutdated',
        message: 'An earlier Job named study-run and its pod have to go first.',
      },
    ],
    'a Job that is being deleted has to go first': [
      { job: jobWith({ metadata: { deletionTimestamp: finished } }) },
      {
        phase: 'Queued',
        reason: 'JobOutdated',
        message: 'An earlier Job named study-run and its pod have to go first.',
      },
    ],
    'a new Job has no pod yet': [
      { job: jobWith() },
      { phase: 'Queued', reason: 'PodPending', message: 'Its pod is about to be created.' },
    ],
    'a quota refuses the pod': [
      {
        job: jobWith(),
        events: [
          event('job-uid', 'FailedCreate', `Error creating: pods "study-run-zp5xk" is forbidden: ${quota}`),
        ],
      },
      { phase: 'Queued', reason: 'QuotaExceeded', message: quotaText, blocked: true },
    ],
    'a refusal is over when a pod was created after it': [
      {
        job: jobWith(),
        events: [
          event('job-uid', 'FailedCreate', `Error creating: pods "study-run-zp5xk" is forbidden: ${quota}`),
          event('job-uid', 'SuccessfulCreate', 'Created pod: study-run-abcde', started),
        ],
      },
      { phase: 'Queued', reason: 'PodPending', message: 'Its pod is about to be created.' },
    ],
    'a refusal of another Job does not matter': [
      { job: jobWith(), events: [event('other', 'FailedCreate', `Error creating: ${quota}`)] },
      { phase: 'Queued', reason: 'PodPending', message: 'Its pod is about to be created.' },
    ],
    'pod security refuses the pod': [
      {
        job: jobWith(),
        events: [
          event(
            'job-uid',
            'FailedCreate',
            'Error creating: pods "study-run-abcde" is forbidden: violates PodSecurity "restricted:latest": hostPath volumes (volume "data")',
          ),
        ],
      },
      {
        phase: 'Queued',
        reason: 'PodRefused',
        message:
          'The API server refuses its pod in namespace lab: violates PodSecurity "restricted:latest": hostPath volumes (volume "data"). It is tried again; if nothing else changes, correct spec.pod.',
        blocked: true,
      },
    ],
    'the service account is missing': [
      {
        job: jobWith(),
        events: [
          event(
            'job-uid',
            'FailedCreate',
            'Error creating: pods "study-run-abcde" is forbidden: error looking up service account lab/trainer: serviceaccount "trainer" not found',
          ),
        ],
      },
      {
        phase: 'Queued',
        reason: 'PodRefused',
        message:
          'The API server refuses its pod in namespace lab: error looking up service account lab/trainer: serviceaccount "trainer" not found. It is tried again; if nothing else changes, correct spec.pod.',
        blocked: true,
      },
    ],
    'a Job without queue that someone suspended waits': [
      {
        job: jobWith({
          suspend: true,
          conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')],
        }),
      },
      {
        phase: 'Waiting',
        reason: 'JobSuspended',
        message: `Its Job was suspended by someone else. To let it go on: kubectl patch job -n lab study-run --type=merge -p '{"spec":{"suspend":false}}'`,
      },
    ],
  });
});

describe('a pod that does not train yet', () => {
  const image = 'registry.example/trainer:1.0-gpu';
  const withPod = (options: PodOptions, events: ObservedRun['events'] = []): Row => ({
    job: jobWith(),
    pods: [podWith(options)],
    events,
  });
  const pullDetail =
    'failed to pull and unpack image "registry.example/trainer:1.0-gpu": failed to resolve reference "registry.example/trainer:1.0-gpu": registry.example/trainer:1.0-gpu: not found';
  const pull: Expected = {
    phase: 'Starting',
    reason: 'ImagePullBackOff',
    message: `Image ${image} cannot be pulled: ${pullDetail}. Check its name and that the nodes may pull it (imagePullSecrets of spec.pod.serviceAccountName); it is tried again.`,
    blocked: true,
    ...bound,
  };
  check({
    'waits for the scheduler': [
      withPod({ node: '' }),
      { phase: 'Queued', reason: 'Scheduling', message: 'Its pod waits for the scheduler.' },
    ],
    'finds no room': [
      withPod(
        unschedulable(
          '0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
        ),
      ),
      {
        phase: 'Queued',
        reason: 'Unschedulable',
        message:
          'No node has room for its pod now: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod. It starts as soon as one has. If none ever will, check spec.pod: gpus, resources, nodeSelector, tolerations.',
        blocked: true,
      },
    ],
    'misses its claim': [
      withPod(
        unschedulable('0/3 nodes are available: persistentvolumeclaim "experiments" not found. not found'),
      ),
      {
        phase: 'Queued',
        reason: 'VolumeClaimMissing',
        message:
          'PersistentVolumeClaim experiments does not exist in namespace lab. Create it; the Run then starts by itself.',
        blocked: true,
      },
    ],
    'has a claim without volume': [
      withPod(
        unschedulable('0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found'),
      ),
      {
        phase: 'Queued',
        reason: 'VolumeClaimUnbound',
        message:
          'A PersistentVolumeClaim has no volume yet (of: experiments). See kubectl describe pvc -n lab; often its storage class is wrong or has no provisioner.',
        blocked: true,
      },
    ],
    'is held by a scheduling gate': [
      withPod({
        node: '',
        status: {
          phase: 'Pending',
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'SchedulingGated',
              message: 'Scheduling is blocked due to non-empty scheduling gates',
            },
          ],
        },
      }),
      {
        phase: 'Queued',
        reason: 'SchedulingGated',
        message: 'A scheduling gate of another component holds its pod back.',
        blocked: true,
      },
    ],
    'is bound and not taken up by the kubelet': [
      withPod({}),
      {
        phase: 'Starting',
        reason: 'ContainerCreating',
        message: 'On node gpu-1 its image is pulled and its volumes are mounted.',
        ...bound,
      },
    ],
    'is being created': [
      withPod(waiting('ContainerCreating')),
      {
        phase: 'Starting',
        reason: 'ContainerCreating',
        message: 'On node gpu-1 its image is pulled and its volumes are mounted.',
        ...bound,
      },
    ],
    'cannot pull its image': [withPod(waiting('ErrImagePull', pullDetail)), pull],
    'cannot pull its image, and says the same while the kubelet waits to try again': [
      withPod(waiting('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${pullDetail}`)),
      pull,
    ],
    'may not pull its image': [
      withPod(
        waiting('ErrImageNeverPull', `Container image "${image}" is not present with pull policy of Never`),
      ),
      {
        phase: 'Starting',
        reason: 'ErrImageNeverPull',
        message: `Image ${image} is not on node gpu-1, and it may not be pulled. Load it there, or allow pulling.`,
        blocked: true,
        ...bound,
      },
    ],
    'has an image of a wrong name': [
      withPod(
        waiting('InvalidImageName', 'Failed to apply default image tag "A:B:C": couldn\'t parse image name'),
      ),
      {
        phase: 'Starting',
        reason: 'InvalidImageName',
        message: `${image} is not the name of an image. Correct spec.pod.image.`,
        blocked: true,
        ...bound,
      },
    ],
    'misses its secret': [
      withPod(waiting('CreateContainerConfigError', 'secret "s3-key" not found')),
      {
        phase: 'Starting',
        reason: 'CreateContainerConfigError',
        message: 'Secret s3-key does not exist in namespace lab. Create it; the Run then starts by itself.',
        blocked: true,
        ...bound,
      },
    ],
    'misses a key of its secret': [
      withPod(waiting('CreateContainerConfigError', "couldn't find key accessKeyId in Secret lab/s3-key")),
      {
        phase: 'Starting',
        reason: 'CreateContainerConfigError',
        message: 'Secret lab/s3-key has no key accessKeyId. Add it; the Run then starts by itself.',
        blocked: true,
        ...bound,
      },
    ],
    'has an image that cannot run as it is': [
      withPod(
        waiting(
          'CreateContainerConfigError',
          'container has runAsNonRoot and image will run as root (pod: "a")',
        ),
      ),
      {
        phase: 'Starting',
        reason: 'CreateContainerConfigError',
        message:
          'The container cannot be made: container has runAsNonRoot and image will run as root (pod: "a"). Correct it; the Run then starts by itself.',
        blocked: true,
        ...bound,
      },
    ],
    'cannot be created by the container runtime': [
      withPod(waiting('CreateContainerError', 'failed to reserve container name')),
      {
        phase: 'Starting',
        reason: 'CreateContainerError',
        message: `The container runtime of node gpu-1 cannot start image ${image}: failed to reserve container name. It is tried again.`,
        blocked: true,
        ...bound,
      },
    ],
    'cannot mount a volume': [
      withPod(waiting('ContainerCreating'), [
        event(
          record.uid,
          'FailedMount',
          'MountVolume.SetUp failed for volume "pvc-1" : mount failed: exit status 32\nMounting command: mount\nOutput: mount.nfs: access denied by server',
        ),
      ]),
      {
        phase: 'Starting',
        reason: 'FailedMount',
        message:
          'A volume of its pod cannot be mounted on node gpu-1: MountVolume.SetUp failed for volume "pvc-1" : mount failed: exit status 32\nMounting command: mount\nOutput: mount.nfs: access denied by server. It is tried again.',
        blocked: true,
        ...bound,
      },
    ],
  });
});

function inRole(role: string, pod: Pod): Pod {
  const labels = { ...pod.metadata.labels, 'destillml.io/role': role };
  return { ...pod, metadata: { ...pod.metadata, labels } };
}

describe('a pod that trains', () => {
  check({
    'is running': [
      { job: jobWith(), pods: [podWith(running())] },
      {
        phase: 'Running',
        reason: 'Training',
        message: 'Pod study-run-abcde trains on node gpu-1.',
        ...training,
      },
    ],
    'or explains is running': [
      {
        job: jobWith(),
        pods: [inRole('explanation', podWith(running()))],
      },
      {
        phase: 'Running',
        reason: 'Explaining',
        message: 'Pod study-run-abcde explains networks on node gpu-1.',
        ...training,
      },
    ],
    'on a node that is silent is still running, as far as is known': [
      { job: jobWith(), pods: [podWith(running('False'))] },
      {
        phase: 'Running',
        reason: 'NodeNotReady',
        message:
          'Node gpu-1 does not answer. If it stays away, Kubernetes replaces the pod after some minutes.',
        blocked: true,
        ...training,
      },
    ],
    'and is evicted is running until it has gone': [
      {
        job: jobWith(),
        pods: [
          podWith({
            metadata: { deletionTimestamp: '2026-11-24T12:13:00Z', deletionGracePeriodSeconds: 120 },
            status: {
              ...running().status,
              conditions: [condition('DisruptionTarget', 'EvictionByEvictionAPI', 'Eviction API: evicting')],
            },
          }),
        ],
      },
      {
        phase: 'Running',
        reason: 'PodTerminating',
        message: `Its pod is taken from node gpu-1: Eviction API: evicting. ${goesOn}`,
        ...training,
        gpuSeconds: 1210,
        pods: [{ ...record, startTime: started, gpuSeconds: 1210 }],
      },
    ],
    'for a Run that is paused still holds its GPUs': [
      {
        run: runWith({}, { spec: { suspend: true } }),
        job: jobWith({ metadata: { deletionTimestamp: finished } }),
        pods: [podWith(running())],
      },
      {
        phase: 'Running',
        reason: 'Pausing',
        message: 'Its pod writes a checkpoint and ends.',
        ...training,
      },
    ],
    'for a Run that is stopped still holds its GPUs': [
      {
        run: knowing({ stop: { reason: 'StoppedEarly', message: 'Others are better.' } }),
        pods: [podWith(running())],
      },
      {
        phase: 'Running',
        reason: 'Stopping',
        message: 'Its pod writes a checkpoint and ends. Others are better.',
        ...training,
      },
    ],
    'of a Job that was deleted still holds its GPUs': [
      { run: knowing(), pods: [podWith(running())] },
      {
        phase: 'Running',
        reason: 'JobDeleted',
        message: 'Its Job was deleted: its pod writes a checkpoint and ends; another Job follows.',
        ...training,
      },
    ],
    'of a Job that is failing still holds its GPUs': [
      {
        job: jobWith({
          conditions: [
            condition('FailureTarget', 'DeadlineExceeded', 'Job was active longer than specified deadline'),
          ],
        }),
        pods: [podWith(running())],
      },
      {
        phase: 'Running',
        reason: 'DeadlineExceeded',
        message: 'Its Job is failing: Job was active longer than specified deadline.',
        ...training,
      },
    ],
    'of a Job that someone suspended still holds its GPUs': [
      { job: jobWith({ suspend: true }), pods: [podWith(running())] },
      {
        phase: 'Running',
        reason: 'JobSuspended',
        message: 'Its Job was suspended: its pod writes a checkpoint and ends.',
        ...training,
      },
    ],
  });
});

describe('a Run that succeeded', () => {
  const word = { outcome: 'succeeded', result };
  const trained: Expected = {
    phase: 'Succeeded',
    reason: 'Trained',
    message: 'Trained for 240 epochs; test accuracy 75.61 % with the weights of epoch 187.',
    ...ended('Succeeded'),
    completionTime: finished,
    result,
  };
  const unread = (why: string): Expected => ({
    phase: 'Queued',
    reason: 'ResultUnread',
    message: `The trainer ended well, but ${why}, so its result is not known here. Another pod reads it from result.json of studies/lab/study/study-run on PersistentVolumeClaim experiments; what is done is not done twice.`,
    unread: 'True',
    ...ended('Succeeded'),
  });
  const reading = jobWith({
    conditions: complete,
    metadata: { annotations: { 'destillml.io/reads-result': 'true' } },
  });
  const saying = (message?: string | object): Row => ({
    job: jobWith({ conditions: complete }),
    pods: [podWith(terminated(0, message))],
  });
  check({
    'has its result': [saying(word), trained],
    'has its result before its Job is complete': [{ ...saying(word), job: jobWith() }, trained],
    'has its result though its Job reached its deadline just then': [
      {
        ...saying(word),
        job: jobWith({
          conditions: jobFailed('DeadlineExceeded', 'Job was active longer than specified deadline'),
        }),
      },
      trained,
    ],
    'has its result though it was paused or deleted just then': [
      { ...saying(word), job: undefined, run: knowing({ suspend: true }) },
      trained,
    ],
    'without termination message': [saying(), unread('its termination message is missing')],
    'with one that is not JSON': [saying('Killed'), unread('its termination message is not JSON')],
    'with one that was cut off by the kubelet': [
      saying(JSON.stringify({ ...word, padding: 'x'.repeat(5000) }).slice(0, 4096)),
      unread('its termination message was cut off at 4096 bytes'),
    ],
    'with one of another program': [
      saying({ status: 'done' }),
      unread(
        `its termination message is not one of a trainer (outcome: Invalid discriminator value. Expected 'succeeded' | 'explained' | 'paused' | 'preempted' | 'failed')`,
      ),
    ],
    'with a result out of range': [
      saying({ outcome: 'succeeded', result: { ...result, testAccuracy: 75.61 } }),
      unread(
        'its termination message is not one of a trainer (result.testAccuracy: Too big: expected number to be <=1)',
      ),
    ],
    'with one that says something else': [
      saying(failedWord('Unexpected', 'x')),
      unread('its termination message says failed although it exited with code 0'),
    ],
    'and whose pod is gone': [
      { job: jobWith({ conditions: complete }) },
      {
        phase: 'Queued',
        reason: 'ResultUnread',
        message: unread('its pod is gone').message,
        unread: 'True',
      },
    ],
    'and whose pod is gone, without storage': [
      { job: jobWith({ conditions: complete }), experiment: noStorage },
      {
        phase: 'Failed',
        reason: 'ResultLost',
        message:
          'The trainer ended well, but its pod is gone, so its result is not known here. Without spec.storage it is nowhere else, nor is the network. Delete the Run to have it trained again.',
        completionTime: '2026-11-24T12:11:05Z',
      },
    ],
    'and of whose second pod nothing was read either': [
      { job: reading },
      {
        phase: 'Queued',
        reason: 'ResultUnread',
        message:
          'The trainer ended well, but its pod is gone, so its result is not known here. A second pod was to read it from result.json of studies/lab/study/study-run on PersistentVolumeClaim experiments, and its word is missing too. Look for what deletes pods as soon as they end, then have it read again: kubectl delete job -n lab study-run',
        unread: 'True',
        blocked: true,
      },
    ],
    'and is no longer wanted': [
      { ...saying(), run: runWith({}, { spec: { stop: { reason: 'StoppedEarly', message: 'Enough.' } } }) },
      { phase: 'Queued', reason: 'Stopping', message: 'Enough.', ...ended('Succeeded') },
    ],
  });

  it('has its result once the second pod has told it', () => {
    const first = see(saying());
    const run: Run = { ...runWith(), status: first.status };
    const second = podWith({ name: 'study-run-2', created: finished, ...terminated(0, word) });
    const { status } = see({ run, job: reading, pods: [second] });
    expect(status).toMatchObject({ phase: 'Succeeded', reason: 'Trained', result, attempts: 2 });
    expect(status.conditions.find(({ type }) => type === 'ResultUnread')?.status).toBe('False');
  });

  it('is not seen to have when a pod that is nobody’s, or of another Job, says so', () => {
    const forged = podWith({ name: 'forged', ...terminated(0, word), metadata: { ownerReferences: [] } });
    const [owner] = podWith().metadata.ownerReferences ?? [];
    const other = podWith({
      name: 'other',
      ...terminated(0, word),
      metadata: { ownerReferences: [{ ...owner, uid: 'another-job' }] },
    });
    const { status, occupied } = see({ job: jobWith(), pods: [forged, other] });
    expect({ status, occupied }).toEqual({
      status: statusOf({ phase: 'Queued', reason: 'PodPending', message: 'Its pod is about to be created.' }),
      occupied: false,
    });
  });
});

describe('what the cache may not show yet', () => {
  const cached = (row: Row) => see({ podsRead: false, ...row });
  const succeeded = podWith(terminated(0, { outcome: 'succeeded', result }));
  const trains: Run = { ...runWith(), status: see({ job: jobWith(), pods: [podWith(running())] }).status };
  const needing: Readonly<Record<string, Row>> = {
    'a Job that is complete, whose pod still trains': {
      run: trains,
      job: jobWith({ conditions: complete }),
      pods: [podWith(running())],
    },
    'a Job that is complete, whose pod is not there': { run: trains, job: jobWith({ conditions: complete }) },
    'a Job that has failed, whose pod still trains': {
      run: trains,
      job: jobWith({ conditions: backoff }),
      pods: [podWith(running())],
    },
    'a Job that has failed, of whose pods an earlier one is there': {
      run: trains,
      job: jobWith({ conditions: backoff }),
      pods: [podWith(terminated(1, failedWord('Environment', 'No GPU.')))],
    },
    'a pod that trained and is not there': { run: trains, job: jobWith() },
    'the end of a Run that is no longer wanted and had a pod': {
      run: { ...trains, spec: { ...trains.spec, stop: { reason: 'StoppedEarly', message: 'Enough.' } } },
    },
  };
  it.each(Object.entries(needing))('has to be read: %s', (_name, row) => {
    expect(cached(row)).toMatchObject({ needsPods: true });
    expect(see(row)).toMatchObject({ needsPods: false });
  });

  const enough: Readonly<Record<string, Row>> = {
    'a pod that says what it came to': {
      run: trains,
      job: jobWith({ conditions: complete }),
      pods: [succeeded],
    },
    'a pod that trains': { run: trains, job: jobWith(), pods: [podWith(running())] },
    'a Run that is stopped before it had a Job': {
      run: runWith({}, { spec: { suspend: true, stop: { reason: 'StoppedEarly', message: 'Enough.' } } }),
    },
  };
  it.each(Object.entries(enough))('is enough: %s', (_name, row) => {
    expect(cached(row)).toMatchObject({ needsPods: false });
  });

  it('is no pod that was taken away', () => {
    expect(cached({ run: trains, job: jobWith() }).status).toMatchObject({
      preemptions: 0,
      pods: trains.status?.pods,
    });
    expect(see({ run: trains, job: jobWith() }).status).toMatchObject({ preemptions: 1 });
  });
});

describe('an attempt that failed', () => {
  const withPod = (options: PodOptions, job = jobWith()): Row => ({ job, pods: [podWith(options)] });
  const again = (reason: string, message: string): Expected => ({
    phase: 'Starting',
    reason,
    message: `${message} ${goesOn}`,
    lastAttempt: { status: 'True', reason, message },
    ...ended('Failed'),
  });
  const finalFailure = (reason: string, message: string, said = message): Expected => ({
    phase: 'Failed',
    reason,
    message: said,
    lastAttempt: { status: 'True', reason, message },
    ...ended('Failed'),
    completionTime: finished,
  });
  const policy = (code: number) =>
    jobWith({
      conditions: jobFailed(
        'PodFailurePolicy',
        `Container trainer for pod lab/study-run-abcde failed with exit code ${code} matching FailJob rule at index 0`,
      ),
    });
  const oom =
    'The trainer was killed because node gpu-1 ran out of memory. Ask for the memory it needs in spec.pod.resources.requests.memory, or use a smaller training.batchSize.';
  const limited = experimentWith({ pod: { gpus: 2, resources: { limits: { memory: '16Gi' } } } });
  const logs = 'See kubectl logs -n lab study-run-abcde.';
  check({
    'by the data ends the Run with what the trainer says': [
      withPod(terminated(65, failedWord('DatasetCorrupt', 'train.bin: 3 bytes short.')), policy(65)),
      finalFailure('DatasetCorrupt', 'train.bin: 3 bytes short.'),
    ],
    'by divergence ends the Run before its Job has failed': [
      withPod(terminated(70, failedWord('TrainingDiverged', 'The loss became NaN in epoch 3.'))),
      finalFailure('TrainingDiverged', 'The loss became NaN in epoch 3.'),
    ],
    'by a wrong assignment ends the Run': [
      withPod(terminated(78, failedWord('InvalidSpec', 'DESTILL_ASSIGNMENT is wrong.')), policy(78)),
      finalFailure('InvalidSpec', 'DESTILL_ASSIGNMENT is wrong.'),
    ],
    'by a full volume ends the Run: nothing could be kept of another attempt': [
      withPod(terminated(74, failedWord('StorageFull', 'There is no room on /artifacts.')), policy(74)),
      finalFailure('StorageFull', 'There is no room on /artifacts.'),
    ],
    'by a volume that cannot be written to, even for a word of it, ends the Run': [
      withPod(terminated(74), policy(74)),
      finalFailure(
        'UnreadableTerminationMessage',
        `The trainer exited with code 74 (a volume is full or read-only), and its termination message is missing. ${logs}`,
      ),
    ],
    'for want of TensorFlow ends the Run': [
      withPod(terminated(69, failedWord('Environment', 'TensorFlow could not be loaded.')), policy(69)),
      finalFailure('Environment', 'TensorFlow could not be loaded.'),
    ],
    'by a processor that lacks an instruction': [
      withPod(terminated(132)),
      again(
        'UnreadableTerminationMessage',
        `The trainer exited with code 132 (SIGILL: its processor lacks an instruction that TensorFlow uses, such as AVX), and its termination message is missing. ${logs}`,
      ),
    ],
    'for good, without a word': [
      withPod(terminated(70), policy(70)),
      finalFailure(
        'UnreadableTerminationMessage',
        `The trainer exited with code 70 (the loss diverged), and its termination message is missing. ${logs}`,
      ),
    ],
    'for good, with a code that is no reason': [
      withPod(terminated(78, failedWord('not a reason!', 'Wrong.'))),
      finalFailure('TrainerFailed', 'Wrong.'),
    ],
    'for good, while its node was being drained': [
      withPod(
        terminated(70, failedWord('TrainingDiverged', 'The loss became NaN.'), {
          disruption: ['EvictionByEvictionAPI', 'Eviction API: evicting'],
        }),
      ),
      finalFailure('TrainingDiverged', 'The loss became NaN.'),
    ],
    'is followed by another': [
      withPod(terminated(1, failedWord('Environment', 'No space left on /artifacts.'))),
      again('Environment', 'No space left on /artifacts.'),
    ],
    'is followed by another without a word': [
      withPod(terminated(1, 'panic')),
      again(
        'UnreadableTerminationMessage',
        `The trainer exited with code 1, and its termination message is not JSON. ${logs}`,
      ),
    ],
    'by a crash': [
      withPod(terminated(139)),
      again(
        'UnreadableTerminationMessage',
        `The trainer exited with code 139 (SIGSEGV: a library did what it may not, as one that does not fit this system), and its termination message is missing. ${logs}`,
      ),
    ],
    'for want of memory on its node': [
      withPod(terminated(137, undefined, { reason: 'OOMKilled' })),
      again('OutOfMemory', oom),
    ],
    'for want of memory within its limit': [
      withPod({ ...terminated(137, undefined, { reason: 'OOMKilled' }), experiment: limited }),
      again(
        'OutOfMemory',
        'The trainer was killed for using more than its memory limit of 16Gi. Raise spec.pod.resources.limits.memory, or use a smaller training.batchSize.',
      ),
    ],
    'as the kubelet evicted it for its own use of the disk': [
      withPod(
        terminated(137, undefined, {
          podReason: 'Evicted',
          podMessage: 'Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ',
        }),
      ),
      again(
        'Evicted',
        'The pod failed on node gpu-1: Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.',
      ),
    ],
    'because the container could not be started': [
      withPod(
        terminated(128, 'failed to create containerd task: exec: "trainer": executable file not found', {
          reason: 'StartError',
        }),
      ),
      again(
        'StartError',
        'The container could not be started on node gpu-1: failed to create containerd task: exec: "trainer": executable file not found. Check spec.pod.image and the GPU runtime of the node.',
      ),
    ],
    'because its node lost the container': [
      withPod(
        terminated(137, 'The container could not be located when the pod was terminated', {
          reason: 'ContainerStatusUnknown',
        }),
      ),
      again(
        'ContainerLost',
        'The container runtime of node gpu-1 lost the trainer: The container could not be located when the pod was terminated.',
      ),
    ],
    'because its node refused it': [
      withPod({
        status: {
          phase: 'Failed',
          reason: 'UnexpectedAdmissionError',
          message:
            'Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu',
        },
      }),
      {
        ...again(
          'UnexpectedAdmissionError',
          'The pod failed on node gpu-1: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu.',
        ),
        message:
          'The pod failed on node gpu-1: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu. Another attempt follows.',
        attempts: 0,
        gpuSeconds: 0,
        pods: [{ ...record, gpuSeconds: 0, outcome: 'Failed' }],
        startTime: undefined,
      },
    ],
    'after others were taken away leaves the retries that are left': [
      {
        ...withPod(terminated(1, failedWord('Environment', 'No GPU.')), jobWith({ conditions: backoff })),
        run: runWith(
          {},
          {
            status: {
              preemptions: 1,
              pods: [{ uid: 'gone', name: 'gone', gpuSeconds: 0, outcome: 'Preempted' }],
            },
          },
        ),
      },
      {
        ...again('Environment', 'No GPU.'),
        phase: 'Queued',
        reason: 'JobReplaced',
        message:
          'Its Job ended as it counts pods that were taken away as failures. Another Job follows and goes on from the last checkpoint. No retry is spent.',
        preemptions: 1,
        pods: [{ uid: 'gone', name: 'gone', gpuSeconds: 0, outcome: 'Preempted' }, ...ended('Failed').pods],
      },
    ],
    'begins anew where there is no storage': [
      withPod({ ...terminated(1, failedWord('Environment', 'No GPU.')), experiment: noStorage }),
      {
        ...again('Environment', 'No GPU.'),
        message:
          'No GPU. Another attempt follows and begins anew: the Experiment has no spec.storage to keep checkpoints in.',
      },
    ],
    'as the last one allowed ends the Run with its message': [
      withPod(terminated(1, failedWord('Environment', 'No GPU.')), jobWith({ conditions: backoff })),
      finalFailure('Environment', 'No GPU.', 'No GPU. No attempt is left (spec.retries is 3).'),
    ],
    'by the deadline ends the Run': [
      withPod(
        {
          ...terminated(75, { outcome: 'preempted', epoch: 4, step: 0 }),
          metadata: { deletionTimestamp: finished, deletionGracePeriodSeconds: 120 },
        },
        jobWith({
          experiment: experimentWith({ activeDeadlineSeconds: 600 }),
          conditions: jobFailed('DeadlineExceeded', 'Job was active longer than specified deadline'),
        }),
      ),
      {
        phase: 'Failed',
        reason: 'DeadlineExceeded',
        message:
          'It took longer than spec.activeDeadlineSeconds (600). Raise it, and delete the Run: it is tried again and goes on from the last checkpoint.',
        ...ended('Stopped'),
        completionTime: finished,
      },
    ],
    'and left no pod ends the Run with what its Job says': [
      { job: jobWith({ conditions: backoff }) },
      {
        phase: 'Failed',
        reason: 'BackoffLimitExceeded',
        message: 'Job has reached the specified backoff limit. No attempt is left (spec.retries is 3).',
        completionTime: '2026-11-24T12:11:05Z',
      },
    ],
  });

  it('is still known when its pod is gone', () => {
    const failed = see(withPod(terminated(1, failedWord('Environment', 'No GPU.'))));
    const run: Run = { ...runWith(), status: failed.status };
    const { status } = see({ run, job: jobWith({ conditions: backoff }) });
    expect(status).toMatchObject({
      phase: 'Failed',
      reason: 'Environment',
      message: 'No GPU. No attempt is left (spec.retries is 3).',
      attempts: 1,
      gpuSeconds: 1000,
    });
  });

  it('is no longer the last when another has ended otherwise', () => {
    const failed = podWith(terminated(1, failedWord('Environment', 'No GPU.')));
    const run: Run = { ...runWith(), status: see({ job: jobWith(), pods: [failed] }).status };
    const next = podWith({
      name: 'study-run-2',
      created: finished,
      ...terminated(0, { outcome: 'succeeded', result }),
    });
    const { status } = see({ run, job: jobWith(), pods: [failed, next] });
    expect(status.conditions[0]).toMatchObject({
      type: 'LastAttemptFailed',
      status: 'False',
      reason: 'Trained',
    });
  });

  it('is told of while the next one trains', () => {
    const failed = podWith(terminated(1, failedWord('Environment', 'No GPU.')));
    const next = podWith({ name: 'study-run-2', created: finished, ...running() });
    const { status } = see({ job: jobWith(), pods: [next, failed] });
    expect(status).toMatchObject({ phase: 'Running', reason: 'Training', attempts: 2 });
    expect(status.conditions[0]).toMatchObject({
      type: 'LastAttemptFailed',
      status: 'True',
      reason: 'Environment',
    });
  });
});

describe('a pod that had to give way', () => {
  const withPod = (options: PodOptions): Row => ({ job: jobWith(), pods: [podWith(options)] });
  const again = (reason: string, message: string): Expected => ({
    phase: 'Starting',
    reason,
    message: `${message} ${goesOn}`,
    ...ended('Preempted'),
  });
  const disrupted = (code: number, reason: string, message: string) =>
    withPod(terminated(code, undefined, { disruption: [reason, message] }));
  check({
    'after a checkpoint': [
      withPod(terminated(75, { outcome: 'preempted', epoch: 4, step: 12 })),
      again('Preempted', 'Its pod was told to stop and wrote a checkpoint in epoch 5.'),
    ],
    'without a word': [withPod(terminated(75)), again('Preempted', 'Its pod was told to stop.')],
    'to a pod of higher priority': [
      disrupted(
        75,
        'PreemptionByScheduler',
        'default-scheduler: preempting to accommodate a higher priority pod',
      ),
      again('Preempted', 'A pod of higher priority took its place on node gpu-1.'),
    ],
    'as its node was drained, and was killed before its checkpoint was written': [
      disrupted(137, 'EvictionByEvictionAPI', 'Eviction API: evicting'),
      again('Evicted', 'Its pod was evicted from node gpu-1, as when a node is drained.'),
    ],
    'to a taint': [
      disrupted(75, 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'),
      again(
        'NodeLost',
        'Its pod had to leave node gpu-1, which is not reachable or has a taint that spec.pod.tolerations does not tolerate.',
      ),
    ],
    'as the kubelet ran short of memory': [
      withPod(
        terminated(137, undefined, {
          disruption: [
            'TerminationByKubelet',
            'The node was low on resource: memory. Threshold quantity: 100Mi.',
          ],
          podReason: 'Evicted',
          podMessage: 'The node was low on resource: memory. Threshold quantity: 100Mi.',
        }),
      ),
      again(
        'Evicted',
        'The kubelet of node gpu-1 ended its pod: The node was low on resource: memory. Threshold quantity: 100Mi.',
      ),
    ],
    'for a reason that is not known here': [
      disrupted(143, 'Descheduled', 'Rebalancing'),
      again('Preempted', 'Its pod was taken from node gpu-1: Rebalancing.'),
    ],
    'when someone deleted it': [
      withPod({
        ...terminated(137),
        metadata: { deletionTimestamp: '2026-11-24T12:09:20Z', deletionGracePeriodSeconds: 120 },
      }),
      again('Preempted', 'Its pod was told to stop.'),
    ],
    'with its node: its time ends when it was given up': [
      withPod({
        metadata: { deletionTimestamp: '2026-11-24T12:08:00Z', deletionGracePeriodSeconds: 0 },
        status: {
          ...running('False').status,
          phase: 'Failed',
          conditions: [
            {
              ...condition('DisruptionTarget', 'DeletionByPodGC', 'PodGC: node no longer exists'),
              lastTransitionTime: '2026-11-24T12:08:00Z',
            },
          ],
        },
      }),
      {
        ...again('NodeLost', 'Its pod was lost with node gpu-1, which no longer exists.'),
        gpuSeconds: 840,
        pods: [
          {
            ...record,
            startTime: started,
            endTime: '2026-11-24T12:08:00Z',
            gpuSeconds: 840,
            outcome: 'Preempted',
          },
        ],
      },
    ],
    'after it had failed by itself has failed': [
      withPod({
        ...terminated(1, failedWord('Environment', 'No GPU.')),
        metadata: { deletionTimestamp: '2026-11-24T12:13:00Z', deletionGracePeriodSeconds: 120 },
      }),
      {
        ...again('Environment', 'No GPU.'),
        lastAttempt: { status: 'True', reason: 'Environment', message: 'No GPU.' },
        ...ended('Failed'),
      },
    ],
  });
});

describe('a Run that was told to', () => {
  const ended75 = [podWith(terminated(75, { outcome: 'preempted', epoch: 4, step: 0 }))];
  const stop = { reason: 'StoppedEarly', message: 'Others are better.' };
  const overdueJob = jobWith({ experiment: experimentWith({ activeDeadlineSeconds: 60 }) });
  check({
    'pause has paused when its pod has ended, and was not preempted': [
      { run: knowing({ suspend: true }), pods: ended75 },
      {
        phase: 'Waiting',
        reason: 'Paused',
        message: 'Paused; it goes on when it is its turn again.',
        ...ended('Stopped'),
      },
    ],
    'go because its time is over was not preempted, though its Job does not say so yet': [
      { job: overdueJob, pods: ended75 },
      { phase: 'Starting', reason: 'Stopped', message: expect.any(String), ...ended('Stopped') },
    ],
    'stop has stopped when its pod and its Job are gone': [
      { run: knowing({ stop }), pods: ended75 },
      { phase: 'Stopped', ...stop, ...ended('Stopped'), completionTime: finished },
    ],
    'stop has not stopped while its Job could still start a pod': [
      { run: runWith({}, { spec: { stop } }), job: jobWith() },
      { phase: 'Queued', reason: 'Stopping', message: 'Others are better.' },
    ],
    'stop before it started is skipped': [
      { run: runWith({}, { spec: { stop, suspend: true } }) },
      { phase: 'Skipped', ...stop, completionTime: '2026-11-24T12:11:05Z' },
    ],
  });

  it('go on after a pause is queued for its next pod, and was not preempted', () => {
    const paused = see({ run: knowing({ suspend: true }), pods: ended75 });
    const run: Run = { ...runWith(), status: paused.status };
    expect(
      see({ run, job: jobWith({ metadata: { uid: 'second-job' } }), pods: ended75 }).status,
    ).toMatchObject({
      phase: 'Queued',
      reason: 'PodPending',
      message: 'Its pod is about to be created.',
      ...ended('Stopped'),
    });
  });
});

describe.each(['v1beta1', 'v1beta2'])('a Job in a queue of Kueue (%s)', (version) => {
  const inQueue = (
    conditions: WorkloadConditions,
    more: Row & { active?: boolean; checks?: [] } = {},
  ): Row => {
    const { active = true, ...row } = more;
    return {
      job: queuedJob({ suspend: true }),
      workload: workloadWith(conditions, { version, active }),
      ...row,
    };
  };
  const pending =
    "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor gpu, 1 more needed";
  const quota: WorkloadConditions = { QuotaReserved: ['False', 'Pending', pending] };
  const evicted = (reason: string, message: string): WorkloadConditions => ({
    ...quota,
    Evicted: ['True', reason, message],
    Requeued: ['True', reason, message],
  });
  const preemption =
    'Preempted to accommodate a workload (UID: 1, JobUID: 2) due to prioritization in the ClusterQueue';
  const takenBack: Expected = {
    phase: 'Queued',
    reason: 'Preempted',
    message: `Kueue took back its place: ${preemption}. It waits in queue vision and goes on from the last checkpoint. ${pending}.`,
  };
  check({
    'that Kueue has not seen': [
      { job: queuedJob({ suspend: true }) },
      {
        phase: 'Queued',
        reason: 'NotTakenUp',
        message:
          'Waits for queue vision: Kueue has not taken it up yet. If this lasts, check that Kueue is running.',
      },
    ],
    'that waits for quota': [
      inQueue(quota),
      { phase: 'Queued', reason: 'InQueue', message: `Waits in queue vision. ${pending}.` },
    ],
    'that was just taken up': [
      inQueue({}),
      { phase: 'Queued', reason: 'InQueue', message: 'Waits in queue vision.' },
    ],
    'that waits for an admission check': [
      {
        job: queuedJob({ suspend: true }),
        workload: workloadWith(
          { QuotaReserved: ['True', 'QuotaReserved', 'Quota reserved in ClusterQueue lab'] },
          {
            version,
            checks: [
              { name: 'capacity', state: 'Pending', message: 'Waiting for nodes' },
              { name: 'budget', state: 'Ready', message: '' },
            ],
          },
        ),
      },
      {
        phase: 'Queued',
        reason: 'AdmissionChecks',
        message:
          'Its quota is reserved; it waits for admission checks (capacity: Pending, Waiting for nodes).',
      },
    ],
    'that is admitted and not yet resumed': [
      inQueue({
        QuotaReserved: ['True', 'QuotaReserved', 'Quota reserved in ClusterQueue lab'],
        Admitted: ['True', 'Admitted', 'The workload is admitted'],
      }),
      { phase: 'Starting', reason: 'Admitted', message: 'Kueue has admitted it; its pod follows.' },
    ],
    'that is admitted and resumed goes by its pod': [
      inQueue(
        {
          QuotaReserved: ['True', 'QuotaReserved', 'Quota reserved in ClusterQueue lab'],
          Admitted: ['True', 'Admitted', 'The workload is admitted'],
          Evicted: ['False', 'QuotaReserved', 'Previously: Preempted to accommodate a workload'],
        },
        { job: queuedJob({ suspend: false }), pods: [podWith(running())] },
      ),
      {
        phase: 'Running',
        reason: 'Training',
        message: 'Pod study-run-abcde trains on node gpu-1.',
        ...training,
      },
    ],
    'that is evicted is queued from the first, while its pod still writes a checkpoint': [
      inQueue(evicted('Preempted', preemption), {
        job: queuedJob({ suspend: false }),
        pods: [podWith(running())],
      }),
      { ...takenBack, ...training },
    ],
    'that is evicted and suspended, its pod gone with a checkpoint, counts one preemption and no failure': [
      inQueue(evicted('Preempted', preemption), {
        job: queuedJob({
          suspend: true,
          conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')],
        }),
        pods: [podWith(terminated(75, { outcome: 'preempted', epoch: 4, step: 0 }))],
      }),
      { ...takenBack, ...ended('Preempted') },
    ],
    'that is evicted and says twice why does not': [
      inQueue({
        QuotaReserved: ['False', 'Pending', preemption],
        Evicted: ['True', 'Preempted', preemption],
      }),
      { ...takenBack, message: `Kueue took back its place: ${preemption}. It waits in queue vision.` },
    ],
    'that is evicted and has no storage begins anew': [
      inQueue(evicted('Preempted', preemption), {
        pods: [
          podWith({ ...terminated(75, { outcome: 'preempted', epoch: 4, step: 0 }), experiment: noStorage }),
        ],
      }),
      {
        ...takenBack,
        message: `Kueue took back its place: ${preemption}. It waits in queue vision and begins anew: the Experiment has no spec.storage to keep checkpoints in. ${pending}.`,
        ...ended('Preempted'),
      },
    ],
    'that has a priority class, and no Workload, names the class': [
      {
        job: {
          ...queuedJob({ suspend: true }),
          metadata: {
            ...queuedJob({ suspend: true }).metadata,
            labels: { 'kueue.x-k8s.io/queue-name': 'vision', 'kueue.x-k8s.io/priority-class': 'urgent' },
          },
        },
      },
      {
        phase: 'Queued',
        reason: 'NotTakenUp',
        message:
          'Waits for queue vision: Kueue has not taken it up yet. If this lasts, check that Kueue is running, and that there is a WorkloadPriorityClass urgent.',
      },
    ],
    'that has no queue where every Job needs one': [
      {
        job: jobWith({ suspend: true }),
        workload: workloadWith(
          { QuotaReserved: ['False', 'Inadmissible', "LocalQueue  doesn't exist"] },
          { version },
        ),
      },
      {
        phase: 'Queued',
        reason: 'QueueNeeded',
        message:
          'Kueue lets no Job start in namespace lab that is in no queue. Set spec.queue to one of kubectl get localqueues -n lab.',
        blocked: true,
      },
    ],
    'that is evicted as its queue was stopped': [
      inQueue(evicted('ClusterQueueStopped', 'The ClusterQueue is stopped')),
      {
        ...takenBack,
        message: `Kueue took back its place: The ClusterQueue is stopped. It waits in queue vision. ${pending}.`,
      },
    ],
    'that is deactivated is held': [
      inQueue(evicted('Deactivated', 'The workload is deactivated'), { active: false }),
      {
        phase: 'Queued',
        reason: 'Held',
        message: `Its Workload was deactivated (The workload is deactivated). To let it go on: kubectl patch workload -n lab job-study-run-1a2b3 --type=merge -p '{"spec":{"active":true}}'`,
        blocked: true,
      },
    ],
    'that could never start has failed': [
      inQueue({
        Finished: ['True', 'FailedToStart', 'in key "zone": invalid node selector: conflict'],
      }),
      {
        phase: 'Failed',
        reason: 'FailedToStart',
        message:
          'Kueue gave it up: in key "zone": invalid node selector: conflict. Delete the Run to have it tried again.',
        completionTime: '2026-11-24T12:11:05Z',
      },
    ],
    'that admission checks rejected has failed': [
      inQueue({ Finished: ['True', 'AdmissionChecksRejected', 'Admission checks [budget] are rejected'] }),
      {
        phase: 'Failed',
        reason: 'AdmissionChecksRejected',
        message:
          'Kueue gave it up: Admission checks [budget] are rejected. Delete the Run to have it tried again.',
        completionTime: '2026-11-24T12:11:05Z',
      },
    ],
    'whose end Kueue has seen first goes by its pod': [
      inQueue(
        { Finished: ['True', 'Succeeded', 'Job finished successfully'] },
        { job: queuedJob({ suspend: false }), pods: [podWith(running())] },
      ),
      {
        phase: 'Running',
        reason: 'Training',
        message: 'Pod study-run-abcde trains on node gpu-1.',
        ...training,
      },
    ],
  });

  it('does not go by the Workload of an earlier Job', () => {
    const { labels } = workloadWith({}).metadata;
    const old = workloadWith({ Finished: ['True', 'OwnerNotFound', 'gone'] }, { version });
    const workload = {
      ...old,
      metadata: { ...old.metadata, labels: { ...labels, 'kueue.x-k8s.io/job-uid': 'first-job' } },
    };
    expect(see({ job: queuedJob({ suspend: true }), workload }).status).toMatchObject({
      phase: 'Queued',
      reason: 'NotTakenUp',
    });
  });
});

describe('an observation', () => {
  it('changes nothing when it was written and is made again', () => {
    const scenes: readonly Row[] = [
      {},
      { job: jobWith(), pods: [podWith(running())] },
      { job: jobWith(), pods: [podWith(terminated(1, failedWord('Environment', 'No GPU.')))] },
      { job: jobWith(), pods: [podWith(terminated(75))] },
      { job: jobWith(), pods: [podWith(terminated(0, { outcome: 'succeeded', result }))] },
      { job: queuedJob({ suspend: true }) },
      { run: runWith({}, { spec: { suspend: true } }) },
    ];
    for (const scene of scenes) {
      const first = see(scene);
      const run = { ...(scene.run ?? runWith()), status: first.status };
      const later = new Date(now.getTime() + 20_000);
      expect(observe({ pods: [], ...scene, run, now: later })).toEqual(first);
    }
  });

  it('keeps a phase that a Run never leaves, whatever is seen later', () => {
    const succeeded = see({
      job: jobWith(),
      pods: [podWith(terminated(0, { outcome: 'succeeded', result }))],
    });
    const progress = { epoch: 240, epochs: 240, step: 0, steps: 1, updatedAt: created };
    const run: Run = { ...runWith(), status: { ...succeeded.status, progress, history: [0.5] } };
    expect(see({ run, job: jobWith({ conditions: backoff }), pods: [] }).status).toEqual(succeeded.status);
  });

  it('ignores the pods of a deleted Run of the same name, but for the folder they may still write to', () => {
    const metadata = { labels: { 'destillml.io/run': 'study-run', 'destillml.io/run-uid': 'old-run' } };
    const dead = see({ pods: [podWith({ ...terminated(0, { outcome: 'succeeded', result }), metadata })] });
    expect(dead).toEqual({
      status: statusOf({ phase: 'Queued', reason: 'JobPending', message: 'Its Job is about to be created.' }),
      occupied: false,
      needsPods: false,
    });
    const alive = see({ pods: [podWith({ ...running(), metadata })] });
    expect(alive).toMatchObject({ status: { phase: 'Queued', reason: 'JobOutdated' }, occupied: true });
  });

  it('says that the folder is occupied as long as a pod has not ended', () => {
    expect(see({ pods: [podWith(running())] }).occupied).toBe(true);
    expect(see({ pods: [podWith(terminated(75))] }).occupied).toBe(false);
  });
});
