import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Pod } from '../../operator/jobs/objects.ts';
import { Client } from '../cluster/client.ts';
import { experiment } from './operator-fixtures.ts';
import { openLab, restrictedNamespace, type TestLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const sha256 = 'a'.repeat(64);
const s3 = { bucket: 'vision', prefix: 'studies/', secretName: 's3-keys', endpoint: 'https://s3.example' };

/** The pod that the API server has taken for the first Run of an Experiment. */
async function podFor(here: TestLab, spec: object): Promise<Pod> {
  await here.apply(experiment('study', { distillation: [], ...spec }));
  const { metadata } = await here.run('teacher');
  return here.kubelet.podOf({ namespace: here.namespace, name: metadata.name });
}

const trainer = (pod: Pod) => pod.spec!.containers[0]!;
const environment = (pod: Pod) => new Map(trainer(pod).env!.map((variable) => [variable.name, variable]));
const mounts = (pod: Pod) =>
  Object.fromEntries(
    trainer(pod).volumeMounts!.map(({ mountPath, name, readOnly }) => {
      const {
        persistentVolumeClaim: claim,
        emptyDir,
        projected,
      } = pod.spec!.volumes!.find((it) => it.name === name)!;
      const what = claim ? `claim ${claim.claimName}` : emptyDir ? 'empty' : projected ? 'token' : 'other';
      return [mountPath, readOnly ? `${what}, read-only` : what];
    }),
  );
const fromSecret = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });

/** What each variant of a spec is to be seen by, in a pod that the API server took. */
const variants: Readonly<Record<string, [spec: object, seen: (pod: Pod) => void]>> = {
  'with a volume and no GPU': [
    {},
    (pod) => {
      expect(mounts(pod)).toEqual({
        '/tmp': 'empty',
        '/artifacts': 'claim experiments',
        '/var/run/secrets/destillml': 'token, read-only',
      });
      expect(trainer(pod)).toMatchObject({ image: expect.stringMatching(/-cpu$/), resources: {} });
      expect(pod.metadata.annotations).toMatchObject({ 'destillml.io/gpus': '0' });
    },
  ],
  'with 2 GPUs': [
    { pod: { gpus: 2 } },
    (pod) => {
      const two = { 'nvidia.com/gpu': '2' };
      expect(trainer(pod)).toMatchObject({
        image: expect.stringMatching(/-gpu$/),
        resources: { requests: two, limits: two },
      });
    },
  ],
  'without storage': [
    { storage: undefined },
    (pod) => {
      expect(mounts(pod)).toMatchObject({ '/artifacts': 'empty', '/data': 'empty' });
    },
  ],
  'with an S3 bucket and the keys of a Secret': [
    { storage: { s3 } },
    (pod) => {
      expect(mounts(pod)).toEqual({
        '/tmp': 'empty',
        '/data': 'empty',
        '/var/run/secrets/destillml': 'token, read-only',
      });
      const env = environment(pod);
      expect(env.get('DESTILL_ARTIFACTS_S3_ENDPOINT')?.value).toBe('https://s3.example');
      expect(env.get('DESTILL_ARTIFACTS_S3_ACCESS_KEY_ID')).toMatchObject(
        fromSecret('s3-keys', 'accessKeyId'),
      );
      expect(env.get('DESTILL_ARTIFACTS_S3_SECRET_ACCESS_KEY')).toMatchObject(
        fromSecret('s3-keys', 'secretAccessKey'),
      );
    },
  ],
  'with a data set on another volume': [
    {
      dataset: {
        name: 'cifar10',
        source: { persistentVolumeClaim: { claimName: 'pictures', path: 'cifar' } },
      },
    },
    (pod) => {
      expect(mounts(pod)).toMatchObject({
        '/artifacts': 'claim experiments',
        '/data-source/pictures': 'claim pictures, read-only',
      });
    },
  ],
  'with a data set on the same volume': [
    { dataset: { name: 'cifar10', source: { persistentVolumeClaim: { claimName: 'experiments' } } } },
    (pod) => {
      expect(mounts(pod)).toMatchObject({
        '/artifacts': 'claim experiments',
        '/data-source/experiments': 'claim experiments, read-only',
      });
    },
  ],
  'with a data set in a bucket': [
    { dataset: { name: 'cifar10', source: { s3 } } },
    (pod) => {
      expect(environment(pod).get('DESTILL_DATASET_S3_ACCESS_KEY_ID')).toMatchObject(
        fromSecret('s3-keys', 'accessKeyId'),
      );
    },
  ],
  'with a data set on the web': [
    { dataset: { name: 'cifar10', source: { http: { url: 'https://data.example/cifar.tar.gz', sha256 } } } },
    (pod) => {
      const { parameters, data } = JSON.parse(environment(pod).get('DESTILL_ASSIGNMENT')!.value!);
      expect(parameters.dataset.source.http).toEqual({ url: 'https://data.example/cifar.tar.gz', sha256 });
      expect(data).toBe('/artifacts/.data');
    },
  ],
  'with its own image and resources': [
    {
      pod: {
        gpus: 1,
        image: 'registry.example/mine:2',
        resources: { requests: { cpu: 4, memory: '8Gi' }, limits: { memory: '16Gi' } },
      },
    },
    (pod) => {
      expect(trainer(pod)).toMatchObject({
        image: 'registry.example/mine:2',
        resources: {
          requests: { cpu: '4', memory: '8Gi', 'nvidia.com/gpu': '1' },
          limits: { memory: '16Gi', 'nvidia.com/gpu': '1' },
        },
      });
    },
  ],
};

describe.concurrent('Pod Security admission at level restricted', () => {
  it('is in force where these tests run', async () => {
    const namespace = await restrictedNamespace(client, 'lab');
    const pod = { spec: { containers: [{ name: 'a', image: 'example.org/a' }] } };
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const answer = await client.request('POST', path, { metadata: { name: 'a' }, ...pod });
    expect(answer).toMatchObject({
      status: 403,
      body: {
        message: expect.stringMatching(/violates PodSecurity "restricted:latest": allowPrivilegeEscalation/),
      },
    });
  });

  it.for(Object.entries(variants))('takes a pod %s', async ([, [spec, seen]], context) => {
    const here = await openLab(context, client);
    const pod = await podFor(here, spec);
    expect(pod.spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      serviceAccountName: 'default',
      terminationGracePeriodSeconds: 120,
      securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(trainer(pod)).toMatchObject({
      terminationMessagePath: '/dev/termination-log',
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    });
    seen(pod);
  });

  it('takes a pod with every override of spec.pod, on the nodes and with the priority that it names', async (context) => {
    const here = await openLab(context, client);
    const { namespace } = here;
    const priorityClass = `priority-${namespace}`;
    await client.send('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: priorityClass },
      value: 1200,
    });
    await client.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'trainers' },
    });
    const toleration = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' };
    const pod = await podFor(here, {
      pod: {
        gpus: 0,
        nodeSelector: { 'gpu.example/model': 'a100' },
        tolerations: [toleration],
        priorityClassName: priorityClass,
        serviceAccountName: 'trainers',
      },
    });
    expect(pod.spec).toMatchObject({
      nodeSelector: { 'gpu.example/model': 'a100' },
      tolerations: expect.arrayContaining([toleration]),
      priorityClassName: priorityClass,
      priority: 1200,
      serviceAccountName: 'trainers',
    });
  });

  it('takes the pod of a student that learns from a teacher in another bucket', async (context) => {
    const here = await openLab(context, client);
    here.play();
    await here.apply(
      experiment('first', { distillation: [], storage: { s3: { ...s3, secretName: 'other-keys' } } }),
    );
    await here.ended('first');
    await here.apply(experiment('study', { teacher: { from: { experiment: 'first' } }, storage: { s3 } }));
    await here.ended('study');
    const [pod] = (await here.pods()).filter(({ metadata }) => metadata.name.startsWith('study-distilled'));
    const env = environment(pod!);
    expect(env.get('DESTILL_TEACHER_S3_ACCESS_KEY_ID')).toMatchObject(
      fromSecret('other-keys', 'accessKeyId'),
    );
    expect(env.get('DESTILL_ARTIFACTS_S3_ACCESS_KEY_ID')).toMatchObject(fromSecret('s3-keys', 'accessKeyId'));
  });
});
