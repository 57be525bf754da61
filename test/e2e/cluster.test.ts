import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { binary } from '../cluster/child.ts';
import { type Client, Refusal } from '../cluster/client.ts';
import { bringUp, importImages } from '../cluster/real/cluster.ts';
import { writeImage } from '../cluster/real/images.ts';
import { network } from '../cluster/real/network.ts';
import { run } from '../cluster/real/run.ts';
import { addVolume } from '../cluster/real/volume.ts';
import { waitFor } from '../cluster/wait.ts';
import {
  createClaim,
  createPod,
  outputOf,
  type Pod,
  podThat,
  restricted,
  runningPod,
  shell,
} from './pods.ts';

type List<T> = { readonly items: readonly T[] };
type Node = {
  readonly status: {
    readonly capacity: Readonly<Record<string, string>>;
    readonly allocatable: Readonly<Record<string, string>>;
    readonly images: readonly { readonly names: readonly string[] }[];
  };
};

const folder = mkdtempSync(join(tmpdir(), 'destillml-e2e-'));
let client: Client;
let namespace: string;

beforeAll(async () => {
  client = await bringUp({ install: process.env.CI === 'true', say: console.log });
});
afterAll(() => {
  client?.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  namespace = await client.newNamespace('cluster', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  return () => client.send('DELETE', `/api/v1/namespaces/${namespace}`);
});

const node = () => client.send<Node>('GET', '/api/v1/nodes/gpu-node');
const pods = () => client.send<List<Pod>>('GET', `/api/v1/namespaces/${namespace}/pods`);

describe('the cluster', () => {
  it('runs no more pods at a time than it has GPUs', async () => {
    const data = await addVolume(client, { namespace, claim: 'data' });
    await createClaim(client, namespace, 'data');
    const { containers, ...spec } = shell('until [ -e /data/go ]; do sleep 0.1; done', { claim: 'data' });
    const gpu = { limits: { 'nvidia.com/gpu': '1' } };
    const template = { spec: { ...spec, containers: containers.map((one) => ({ ...one, resources: gpu })) } };
    for (const name of ['first', 'second', 'third']) {
      await client.send('POST', `/apis/batch/v1/namespaces/${namespace}/jobs`, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name },
        spec: { template },
      });
    }

    await waitFor('two pods to run and one to wait', async () => {
      const { items } = await pods();
      const phases = items.map(({ status }) => status.phase).sort();
      return String(phases) === 'Pending,Running,Running' || undefined;
    });
    const pending = (await pods()).items.find(({ status }) => status.phase === 'Pending');
    expect(pending?.spec.nodeName).toBeUndefined();
    expect(pending?.status.conditions).toContainEqual(
      expect.objectContaining({
        type: 'PodScheduled',
        reason: 'Unschedulable',
        message: expect.stringContaining('Insufficient nvidia.com/gpu'),
      }),
    );

    writeFileSync(join(data, 'go'), '');
    const wait = ['wait', '--for=condition=Complete', '--timeout=60s', `--namespace=${namespace}`];
    await client.kubectl(...wait, 'job/first', 'job/second', 'job/third');
    const runs = (await pods()).items.map(({ status }) => status.containerStatuses?.[0]?.state.terminated);
    const [thirdStart] = runs
      .map((run) => run?.startedAt ?? '')
      .sort()
      .slice(-1);
    const [firstEnd] = runs.map((run) => run?.finishedAt ?? '').sort();
    expect(thirdStart! >= firstEnd!).toBe(true);
  });

  it('finds imported images, and keeps its GPUs when the kubelet rewrites the status of the node', async () => {
    const name = `localhost/imported:${namespace}`;
    const archive = join(folder, 'imported.tar');
    await writeImage({ name, program: '/bin/busybox', command: ['echo', 'imported'] }, archive);
    expect(await importImages(archive)).toEqual([name]);
    await createPod(client, namespace, 'imported', {
      restartPolicy: 'Never',
      securityContext: restricted.pod,
      containers: [
        { name: 'main', image: name, imagePullPolicy: 'IfNotPresent', securityContext: restricted.container },
      ],
    });
    expect(await outputOf(client, namespace, 'imported')).toBe('imported\n');

    const { capacity, allocatable } = await waitFor(
      'the kubelet to tell of the image',
      async () => {
        const { status } = await node();
        return status.images.some(({ names }) => names.includes(name)) ? status : undefined;
      },
      90_000,
    );
    expect([capacity['nvidia.com/gpu'], allocatable['nvidia.com/gpu']]).toEqual(['2', '2']);
  });

  it('says of an image that it does not have that it cannot be pulled', async () => {
    const { containers, ...spec } = shell('true');
    const missing = containers.map((one) => ({ ...one, image: 'registry.invalid/missing:1' }));
    await createPod(client, namespace, 'missing', { ...spec, containers: missing });
    const reasonOf = ({ status }: Pod) => status.containerStatuses?.[0]?.state.waiting?.reason ?? '';
    const isRefused = (pod: Pod) => /^(ErrImagePull|ImagePullBackOff)$/.test(reasonOf(pod));
    await podThat(client, namespace, 'missing', isRefused, 'find no image');
  });

  it('refuses pods that are not restricted where that is enforced', async () => {
    const { containers } = shell('true');
    const refusal = createPod(client, namespace, 'privileged', { containers });
    await expect(refusal).rejects.toThrow(Refusal);
    await expect(refusal).rejects.toThrow('violates PodSecurity "restricted:latest"');
  });

  it('gives volumes to the group of a pod', async () => {
    const data = await addVolume(client, { namespace, claim: 'data' });
    await createClaim(client, namespace, 'data');
    await createPod(client, namespace, 'writer', shell('id -u > /data/user', { claim: 'data' }));
    await outputOf(client, namespace, 'writer');
    expect(readFileSync(join(data, 'user'), 'utf8')).toBe('10001\n');
    const { uid, gid } = statSync(join(data, 'user'));
    expect([uid, gid]).toEqual([10001, 10001]);
    await createPod(client, namespace, 'reader', shell('cat /data/user', { claim: 'data' }));
    expect(await outputOf(client, namespace, 'reader')).toBe('10001\n');
  });

  it('gives pods a token that TokenReview knows them by, for its audience only', async () => {
    const projected = {
      serviceAccountToken: { path: 'token', audience: 'destillml', expirationSeconds: 600 },
    };
    const { containers, ...spec } = shell('cat /var/run/own/token');
    const mounts = [{ name: 'own', mountPath: '/var/run/own' }];
    await createPod(client, namespace, 'bearer', {
      ...spec,
      containers: containers.map((one) => ({ ...one, volumeMounts: mounts })),
      volumes: [{ name: 'own', projected: { sources: [projected] } }],
    });
    const token = await outputOf(client, namespace, 'bearer');
    const review = async (audience: string) => {
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [audience] },
      };
      const path = '/apis/authentication.k8s.io/v1/tokenreviews';
      return (await client.send<{ status: object }>('POST', path, body)).status;
    };
    expect(await review('destillml')).toMatchObject({
      authenticated: true,
      audiences: ['destillml'],
      user: {
        username: `system:serviceaccount:${namespace}:default`,
        extra: { 'authentication.kubernetes.io/pod-name': ['bearer'] },
      },
    });
    expect(await review('another')).not.toHaveProperty('authenticated');
  });

  it('lets pods talk to the API server, with the rights of their service account', async () => {
    const name = `localhost/kubectl:${namespace}`;
    const archive = join(folder, 'kubectl.tar');
    await writeImage({ name, program: binary('kubectl'), command: ['kubectl'] }, archive);
    await importImages(archive);
    const container = (own: string, ...args: readonly string[]) => ({
      name: own,
      image: name,
      args: ['kubectl', '--cache-dir=/tmp', ...args],
      securityContext: restricted.container,
    });
    await createPod(client, namespace, 'caller', {
      restartPolicy: 'Never',
      securityContext: restricted.pod,
      initContainers: [container('who', 'auth', 'whoami', '--output=jsonpath={.status.userInfo.username}')],
      containers: [container('what', 'get', 'pods')],
    });
    const logs = (own: string) =>
      client.kubectl('logs', `--namespace=${namespace}`, 'caller', `--container=${own}`);
    await podThat(client, namespace, 'caller', ({ status }) => status.phase === 'Failed', 'be refused');
    expect(await logs('who')).toBe(`system:serviceaccount:${namespace}:default`);
    expect(await logs('what')).toContain('pods is forbidden');
  });

  it('knows the names of Services, and takes what is sent to them to their pods', async () => {
    const server = 'while :; do echo "from $HOSTNAME" | nc -l -p 8080; done';
    await createPod(client, namespace, 'server', shell(server), { app: 'server' });
    await client.send('POST', `/api/v1/namespaces/${namespace}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'service' },
      spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const ask = 'until nc -w 2 service 80 </dev/null | grep from; do sleep 0.1; done';
    await createPod(
      client,
      namespace,
      'client',
      shell(`nslookup kubernetes.default.svc.cluster.local; ${ask}`),
    );
    const output = await outputOf(client, namespace, 'client');
    expect(output).toMatch(/Name:\tkubernetes\.default\.svc\.cluster\.local\nAddress: 198\.19\.0\.1\n/);
    expect(output).toContain('from server\n');
  });

  it('is reached from this machine, and reaches what listens there for it', async () => {
    const server = createServer((_, response) => response.end('from the machine\n'));
    server.listen(0, network.machine);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const ask = `wget -q -O - http://${network.machine}:${port}/`;
      await createPod(client, namespace, 'asking', shell(ask));
      expect(await outputOf(client, namespace, 'asking')).toBe('from the machine\n');
    } finally {
      server.close();
    }
    await createPod(client, namespace, 'asked', shell('exec nc -ll -p 8080 -e echo from the pod'));
    const { status } = await runningPod(client, namespace, 'asked');
    const answer = await waitFor('the pod to listen', () =>
      run('busybox', 'nc', status.podIP!, '8080').catch(() => undefined),
    );
    expect(answer).toBe('from the pod\n');
  });

  it('answers at once that there is no name outside it', async () => {
    await createPod(client, namespace, 'outside', shell('nslookup example.org || true'));
    expect(await outputOf(client, namespace, 'outside')).toContain("can't find example.org: NXDOMAIN");
  });

  it('shows what a pod prints, and runs commands in it', async () => {
    await createPod(client, namespace, 'talker', shell('echo hello; exec sleep 600'));
    await runningPod(client, namespace, 'talker');
    expect(await client.kubectl('logs', `--namespace=${namespace}`, 'talker')).toBe('hello\n');
    expect(await client.kubectl('exec', `--namespace=${namespace}`, 'talker', '--', 'id', '-u')).toBe(
      '10001\n',
    );
  });

  it('sends a pod that is deleted SIGTERM, and gives it time', async () => {
    const data = await addVolume(client, { namespace, claim: 'data' });
    await createClaim(client, namespace, 'data');
    const script =
      'trap "echo told > /data/told; exit 75" TERM; touch /data/ready; while :; do sleep 0.1; done';
    await createPod(client, namespace, 'told', shell(script, { claim: 'data' }));
    await waitFor('the pod to be ready', () => existsSync(join(data, 'ready')) || undefined);
    await client.kubectl('delete', 'pod', `--namespace=${namespace}`, 'told', '--wait');
    expect(readFileSync(join(data, 'told'), 'utf8')).toBe('told\n');
  });

  it('gives no right to those whom no role is bound to', async () => {
    const { status } = await client.request('GET', `/api/v1/namespaces/${namespace}/pods`, undefined, {
      as: 'user',
    });
    expect(status).toBe(403);
  });
});
