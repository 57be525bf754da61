import { describe, expect, it } from 'vitest';
import { isOutdated, jobFor } from '../../../operator/jobs/job.ts';
import type { Job } from '../../../operator/jobs/objects.ts';
import { DestillError } from '../../../src/errors.ts';
import { assignment } from '../../../src/protocol/assignment.ts';
import { claim, config, distilled, experimentWith, runWith } from './world.ts';

const podOf = (job: Job) => job.spec!.template.spec!;
const trainerOf = (job: Job) => podOf(job).containers[0]!;
const env = (job: Job) =>
  Object.fromEntries(trainerOf(job).env!.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
const assignmentOf = (job: Job) => assignment.parse(JSON.parse(String(env(job).DESTILL_ASSIGNMENT)));
const mountOf = (job: Job, path: string) =>
  trainerOf(job).volumeMounts!.find(({ mountPath }) => mountPath === path);
const volumeOf = (job: Job, name: string | undefined) =>
  podOf(job).volumes!.find((volume) => volume.name === name);
const claimAt = (job: Job, path: string) => volumeOf(job, mountOf(job, path)?.name)?.persistentVolumeClaim;
const errorOf = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    if (error instanceof DestillError) return { code: error.code, message: error.message };
    throw error;
  }
  return undefined;
};

const run = runWith();
const s3 = {
  bucket: 'results',
  prefix: 'vision/',
  endpoint: 'https://minio.lab',
  region: 'eu-west-1',
  secretName: 's3-key',
};

describe('the Job of a Run', () => {
  it('is this object', () => {
    const job = jobFor(run, experimentWith({ retries: 2, activeDeadlineSeconds: 86_400 }), config);
    const labels = {
      'app.kubernetes.io/name': 'destillml',
      'app.kubernetes.io/instance': 'study',
      'app.kubernetes.io/component': 'baseline',
      'app.kubernetes.io/part-of': 'destillml',
      'app.kubernetes.io/managed-by': 'destillml',
      'destillml.io/experiment': 'study',
      'destillml.io/stage': 'main',
      'destillml.io/role': 'baseline',
      'destillml.io/student': 'small',
      'destillml.io/seed': '7',
      'destillml.io/run': 'study-run',
      'destillml.io/run-uid': 'run-uid',
    };
    expect(job).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: 'study-run',
        namespace: 'lab',
        labels,
        annotations: { 'destillml.io/made-of': expect.stringMatching(/^[0-9a-f]{16}$/) },
        ownerReferences: [
          {
            apiVersion: 'destillml.io/v1alpha1',
            kind: 'Run',
            name: 'study-run',
            uid: 'run-uid',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        suspend: false,
        parallelism: 1,
        completions: 1,
        backoffLimit: 2,
        activeDeadlineSeconds: 86_400,
        podReplacementPolicy: 'Failed',
        podFailurePolicy: {
          rules: [
            {
              action: 'FailJob',
              onExitCodes: { containerName: 'trainer', operator: 'In', values: [65, 69, 70, 74, 78] },
            },
            { action: 'Ignore', onExitCodes: { containerName: 'trainer', operator: 'In', values: [75] } },
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
        template: {
          metadata: { labels, annotations: { 'destillml.io/gpus': '2' } },
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 120,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 10_001,
              runAsGroup: 10_001,
              fsGroup: 10_001,
              fsGroupChangePolicy: 'OnRootMismatch',
              seccompProfile: { type: 'RuntimeDefault' },
            },
            volumes: [
              { name: 'tmp', emptyDir: {} },
              { name: 'artifacts', persistentVolumeClaim: { claimName: 'experiments' } },
              {
                name: 'push',
                projected: {
                  sources: [
                    {
                      serviceAccountToken: { audience: 'destillml', expirationSeconds: 3600, path: 'token' },
                    },
                  ],
                },
              },
            ],
            containers: [
              {
                name: 'trainer',
                image: 'registry.example/trainer:1.0-gpu',
                env: [
                  { name: 'DESTILL_ASSIGNMENT', value: expect.any(String) },
                  { name: 'DESTILL_TERMINATION_LOG', value: '/dev/termination-log' },
                  {
                    name: 'DESTILL_PUSH_URL',
                    value:
                      'https://destillml.destillml-system.svc:8443/v1/namespaces/lab/runs/study-run/progress',
                  },
                  { name: 'DESTILL_PUSH_TOKEN_FILE', value: '/var/run/secrets/destillml/token' },
                  { name: 'DESTILL_PUSH_CA', value: 'authority in PEM' },
                  { name: 'DESTILL_METRICS_PORT', value: '8080' },
                  {
                    name: 'TF_NUM_INTRAOP_THREADS',
                    valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } },
                  },
                  { name: 'HOME', value: '/tmp' },
                ],
                ports: [{ name: 'metrics', containerPort: 8080 }],
                resources: { requests: { 'nvidia.com/gpu': '2' }, limits: { 'nvidia.com/gpu': '2' } },
                volumeMounts: [
                  { name: 'tmp', mountPath: '/tmp' },
                  { name: 'artifacts', mountPath: '/artifacts' },
                  { name: 'push', mountPath: '/var/run/secrets/destillml', readOnly: true },
                ],
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'] },
                  readOnlyRootFilesystem: true,
                },
                terminationMessagePath: '/dev/termination-log',
                terminationMessagePolicy: 'File',
              },
            ],
          },
        },
      },
    });
  });

  it('tells the trainer its parameters and folders', () => {
    expect(assignmentOf(jobFor(run, experimentWith(), config))).toEqual({
      name: 'study-run',
      namespace: 'lab',
      experiment: 'study',
      parameters: run.spec.parameters,
      artifacts: '/artifacts/studies/lab/study/study-run',
      data: '/artifacts/studies/.data',
      capture: true,
    });
  });

  it('is the same object each time', () => {
    expect(jobFor(run, experimentWith(), config)).toEqual(jobFor(run, experimentWith(), config));
  });

  it('is deleted after a time only if the operator is told so', () => {
    const ttl = (ttlSecondsAfterFinished: number) =>
      jobFor(run, experimentWith(), { ...config, ttlSecondsAfterFinished }).spec!.ttlSecondsAfterFinished;
    expect(ttl(3600)).toBe(3600);
    expect(jobFor(run, experimentWith(), config).spec).not.toHaveProperty('ttlSecondsAfterFinished');
  });

  it('is refused where the assignment does not fit into the environment', () => {
    const long = runWith({ dataset: { name: 'mnist', source: { directory: { path: 'x'.repeat(1024) } } } });
    const parameters = {
      ...long.spec.parameters,
      dataset: { ...long.spec.parameters.dataset, source: { directory: { path: 'x'.repeat(100_000) } } },
    };
    const tooLong = { ...long, spec: { ...long.spec, parameters } };
    expect(errorOf(() => jobFor(long, experimentWith(), config))).toBeUndefined();
    expect(errorOf(() => jobFor(tooLong, experimentWith(), config))).toEqual({
      code: 'InvalidSpec',
      message: expect.stringMatching(
        /^Run lab\/study-run: its assignment is 10\d{4} bytes of JSON, at most 100000 fit into the environment of a pod\. Shorten spec\.parameters\.$/,
      ),
    });
  });
});

describe('what spec.pod asks for', () => {
  it('is merged with the GPUs', () => {
    const job = jobFor(
      run,
      experimentWith({
        pod: {
          gpus: 1,
          resources: { requests: { cpu: 4, memory: '8Gi' }, limits: { memory: '16Gi' } },
          nodeSelector: { zone: 'a' },
          tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
          priorityClassName: 'batch-low',
          serviceAccountName: 'trainer',
          image: 'my/trainer:2',
        },
      }),
      { ...config, gpuResource: 'amd.com/gpu', imagePullPolicy: 'IfNotPresent' },
    );
    expect(podOf(job)).toMatchObject({
      nodeSelector: { zone: 'a' },
      tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
      priorityClassName: 'batch-low',
      serviceAccountName: 'trainer',
    });
    expect(trainerOf(job)).toMatchObject({ image: 'my/trainer:2', imagePullPolicy: 'IfNotPresent' });
    expect(trainerOf(job).resources).toEqual({
      requests: { cpu: '4', memory: '8Gi', 'amd.com/gpu': '1' },
      limits: { memory: '16Gi', 'amd.com/gpu': '1' },
    });
  });

  it('is the CPU image and no GPU resource without GPUs', () => {
    const job = jobFor(run, experimentWith({ pod: { gpus: 0 } }), config);
    expect(trainerOf(job).image).toBe('registry.example/trainer:1.0-cpu');
    expect(trainerOf(job).resources).toEqual({ requests: {}, limits: {} });
    expect(job.spec!.template.metadata!.annotations).toEqual({ 'destillml.io/gpus': '0' });
  });
});

describe('a Job with a queue', () => {
  it('is created suspended, with the label on the Job and not on its pods', () => {
    const job = jobFor(run, experimentWith({ queue: 'vision' }), config);
    expect(job.spec!.suspend).toBe(true);
    expect(job.metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'vision' });
    expect(job.spec!.template.metadata!.labels).not.toHaveProperty('kueue.x-k8s.io/queue-name');
    expect(job.spec).not.toHaveProperty('managedBy');
  });

  it('has the WorkloadPriorityClass that the Experiment is labelled with, and none made from its PriorityClass', () => {
    const priority = 'kueue.x-k8s.io/priority-class';
    const labelled = experimentWith({ queue: 'vision' }, { labels: { [priority]: 'urgent' } });
    expect(jobFor(run, labelled, config).metadata.labels).toMatchObject({ [priority]: 'urgent' });
    const classed = experimentWith({ queue: 'vision', pod: { gpus: 1, priorityClassName: 'high' } });
    expect(jobFor(run, classed, config).metadata.labels).not.toHaveProperty([priority]);
  });

  it('is outdated once the Experiment is labelled with another class, which means nothing without a queue', () => {
    const labelled = (name: string, spec = {}) =>
      experimentWith(spec, { labels: { 'kueue.x-k8s.io/priority-class': name } });
    const queued = { queue: 'vision' };
    const job = jobFor(run, labelled('nosuch', queued), config);
    expect(isOutdated(job, labelled('nosuch', queued))).toBe(false);
    expect(isOutdated(job, labelled('urgent', queued))).toBe(true);
    expect(isOutdated(jobFor(run, labelled('nosuch'), config), labelled('urgent'))).toBe(false);
  });
});

describe('storage', () => {
  it('is an empty folder that goes with the pod where the Experiment has none', () => {
    const { storage: _storage, ...spec } = experimentWith().spec;
    const job = jobFor(run, { ...experimentWith(), spec }, config);
    expect(volumeOf(job, 'artifacts')).toEqual({ name: 'artifacts', emptyDir: {} });
    expect(volumeOf(job, 'data')).toEqual({ name: 'data', emptyDir: {} });
    expect(assignmentOf(job)).toMatchObject({ artifacts: '/artifacts/lab/study/study-run', data: '/data' });
  });

  it('in S3 is an address, and credentials from the secret', () => {
    const job = jobFor(run, experimentWith({ storage: { s3 } }), config);
    expect(assignmentOf(job)).toMatchObject({
      artifacts: 's3://results/vision/lab/study/study-run',
      data: '/data',
    });
    expect(env(job)).toMatchObject({
      DESTILL_ARTIFACTS_S3_REGION: 'eu-west-1',
      DESTILL_ARTIFACTS_S3_ENDPOINT: 'https://minio.lab',
      DESTILL_ARTIFACTS_S3_ACCESS_KEY_ID: { secretKeyRef: { name: 's3-key', key: 'accessKeyId' } },
      DESTILL_ARTIFACTS_S3_SECRET_ACCESS_KEY: { secretKeyRef: { name: 's3-key', key: 'secretAccessKey' } },
    });
    expect(mountOf(job, '/artifacts')).toBeUndefined();
  });

  it('does not lead out of the volume', () => {
    const storage = { persistentVolumeClaim: { claimName: 'experiments', path: '../../etc' } };
    expect(assignmentOf(jobFor(run, experimentWith({ storage }), config)).artifacts).toBe(
      '/artifacts/etc/lab/study/study-run',
    );
  });
});

describe('the data set', () => {
  it('on a claim is mounted read-only at the name of the claim', () => {
    const source = { persistentVolumeClaim: { claimName: 'images', path: 'cifar' } };
    const job = jobFor(runWith({ dataset: { name: 'cifar10', source } }), experimentWith(), config);
    expect(mountOf(job, '/data-source/images')).toMatchObject({ readOnly: true });
    expect(claimAt(job, '/data-source/images')).toEqual({ claimName: 'images' });
    expect(env(job)).toMatchObject({ DESTILL_CLAIMS: '/data-source' });
  });

  it('on the claim of the storage is the same volume, mounted twice', () => {
    const source = { persistentVolumeClaim: { claimName: 'experiments' } };
    const job = jobFor(runWith({ dataset: { name: 'cifar10', source } }), experimentWith(), config);
    expect(podOf(job).volumes!.filter((volume) => volume.persistentVolumeClaim)).toHaveLength(1);
    expect(mountOf(job, '/data-source/experiments')).toEqual({
      name: 'artifacts',
      mountPath: '/data-source/experiments',
      readOnly: true,
    });
  });

  it('in S3 comes with credentials of its own', () => {
    const source = { s3: { bucket: 'images', secretName: 'images-key' } };
    const job = jobFor(runWith({ dataset: { name: 'cifar10', source } }), experimentWith(), config);
    expect(env(job)).toMatchObject({
      DESTILL_DATASET_S3_REGION: 'us-east-1',
      DESTILL_DATASET_S3_ACCESS_KEY_ID: { secretKeyRef: { name: 'images-key', key: 'accessKeyId' } },
    });
    expect(env(job)).not.toHaveProperty('DESTILL_DATASET_S3_ENDPOINT');
  });
});

describe('the teacher', () => {
  const student = runWith(distilled);
  const other = (storage: object, metadata = {}, sharedWith: readonly string[] = []) =>
    experimentWith({ storage, sharedWith }, { name: 'big', uid: 'big-uid', ...metadata });
  const from = (storage: object = claim) =>
    experimentWith({ teacher: { from: { experiment: 'big' } }, storage });

  const fileIn = (place: object) => {
    const parameters = { ...distilled, teacherRun: undefined, teacherOnnx: place };
    return [parameters, experimentWith({ teacher: { from: { onnx: place } } })] as const;
  };

  it('in a file on a claim is mounted read-only at the name of the claim', () => {
    const [parameters, experiment] = fileIn({
      persistentVolumeClaim: { claimName: 'networks', path: 'big.onnx' },
    });
    const job = jobFor(runWith(parameters), experiment, config);
    expect(mountOf(job, '/data-source/networks')).toMatchObject({ readOnly: true });
    expect(claimAt(job, '/data-source/networks')).toEqual({ claimName: 'networks' });
    expect(env(job)).toMatchObject({ DESTILL_CLAIMS: '/data-source' });
    expect(assignmentOf(job).parameters.teacherOnnx).toEqual(parameters.teacherOnnx);
    expect(assignmentOf(job)).not.toHaveProperty('teacherArtifacts');
  });

  it.each(['images', 'experiments'])(
    'in a file on the claim %s, which others use, is no other volume',
    (claimName) => {
      const [parameters, experiment] = fileIn({ persistentVolumeClaim: { claimName, path: 'big.onnx' } });
      const source = { persistentVolumeClaim: { claimName: 'images' } };
      const run = runWith({ ...parameters, dataset: { name: 'cifar10', source } });
      const job = jobFor(run, experiment, config);
      const claims = podOf(job).volumes!.flatMap((volume) => volume.persistentVolumeClaim ?? []);
      expect(claims).toEqual([{ claimName: 'experiments' }, { claimName: 'images' }]);
      const paths = trainerOf(job).volumeMounts!.map(({ mountPath }) => mountPath);
      expect(new Set(paths).size).toBe(paths.length);
      expect(claimAt(job, `/data-source/${claimName}`)).toEqual({ claimName });
      expect(mountOf(job, `/data-source/${claimName}`)).toMatchObject({ readOnly: true });
    },
  );

  it('in a file in S3 comes with credentials of its own', () => {
    const place = { s3: { bucket: 'networks', key: 'big.onnx', secretName: 'networks-key', region: 'r' } };
    const [parameters, experiment] = fileIn(place);
    expect(env(jobFor(runWith(parameters), experiment, config))).toMatchObject({
      DESTILL_ONNX_S3_REGION: 'r',
      DESTILL_ONNX_S3_SECRET_ACCESS_KEY: { secretKeyRef: { name: 'networks-key', key: 'secretAccessKey' } },
    });
  });

  it('of the same Experiment is beside the Run', () => {
    const job = jobFor(student, experimentWith(), config);
    expect(assignmentOf(job).teacherArtifacts).toBe('/artifacts/studies/lab/study/study-teacher');
    expect(job.metadata.labels).toMatchObject({ 'destillml.io/arm': 'soft' });
  });

  it('on another claim is mounted read-only', () => {
    const owner = other({ persistentVolumeClaim: { claimName: 'old' } });
    const job = jobFor(student, from(), config, owner);
    expect(assignmentOf(job).teacherArtifacts).toBe('/teacher/lab/big/study-teacher');
    expect(claimAt(job, '/teacher')).toEqual({ claimName: 'old' });
    expect(mountOf(job, '/teacher')).toMatchObject({ readOnly: true });
  });

  it('on the same claim needs no other mount', () => {
    const job = jobFor(student, from(), config, other(claim));
    expect(assignmentOf(job).teacherArtifacts).toBe('/artifacts/studies/lab/big/study-teacher');
    expect(mountOf(job, '/teacher')).toBeUndefined();
  });

  it('in S3 may be of another namespace', () => {
    const abroad = runWith({ ...distilled, teacherNamespace: 'archive' });
    const job = jobFor(abroad, from(), config, other({ s3 }, { namespace: 'archive' }, ['lab']));
    expect(assignmentOf(job).teacherArtifacts).toBe('s3://results/vision/archive/big/study-teacher');
    expect(env(job)).toMatchObject({ DESTILL_TEACHER_S3_ENDPOINT: 'https://minio.lab' });
    expect(env(job)).not.toHaveProperty('DESTILL_ARTIFACTS_S3_ENDPOINT');
  });

  it('on a volume of another namespace is refused', () => {
    const abroad = runWith({ ...distilled, teacherNamespace: 'archive' });
    const owner = other(claim, { namespace: 'archive' }, ['*']);
    expect(errorOf(() => jobFor(abroad, from(), config, owner))).toEqual({
      code: 'TeacherMissing',
      message:
        'Run lab/study-run: its teacher, Run archive/study-teacher, is on the volume of PersistentVolumeClaim archive/experiments, and pods cannot mount volumes of another namespace. Use a teacher of namespace lab, or one whose Experiment has spec.storage.s3.',
    });
  });

  it('without storage is refused: it went with its pod', () => {
    const { storage: _storage, ...spec } = experimentWith().spec;
    expect(errorOf(() => jobFor(student, { ...experimentWith(), spec }, config))).toEqual({
      code: 'TeacherMissing',
      message:
        'Run lab/study-run: its teacher, Run lab/study-teacher, belongs to Experiment study, which has no spec.storage: its network went with its pod. Make an Experiment with spec.storage.',
    });
  });

  it('of an Experiment that was not found is refused', () => {
    expect(errorOf(() => jobFor(student, from(), config))).toEqual({
      code: 'TeacherMissing',
      message: 'Run lab/study-run: its teacher, Run lab/study-teacher, belongs to no Experiment.',
    });
  });

  it.each([
    ['of an Experiment', from()],
    ['of a Run that somebody made by hand for an Experiment that trains its own', experimentWith()],
  ])(
    'of another namespace that is not shared is refused as one that is not there: %s',
    (_case, experiment) => {
      const abroad = runWith({ ...distilled, teacherNamespace: 'archive' });
      const nothing = errorOf(() => jobFor(abroad, experiment, config));
      expect(nothing).toEqual({
        code: 'TeacherMissing',
        message:
          'Run lab/study-run: its teacher, Run archive/study-teacher, belongs to no Experiment that is shared with namespace lab by its spec.sharedWith.',
      });
      for (const storage of [{ s3 }, claim]) {
        for (const sharedWith of [[], ['elsewhere']]) {
          const owner = other(storage, { namespace: 'archive' }, sharedWith);
          expect(errorOf(() => jobFor(abroad, experiment, config, owner))).toEqual(nothing);
        }
      }
    },
  );
});
