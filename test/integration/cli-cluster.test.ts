import { afterAll, beforeAll, expect, it } from 'vitest';
import { plan } from '../../src/plan/plan.ts';
import { destill } from '../cli/destill.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { experimentOf, resultOf } from '../src/plan/world.ts';
import { kubeconfigFor, tokenOf } from './tokens.ts';

/** What the built-in role view comes to, with what the chart adds to it. */
const view = [
  { apiGroups: ['destillml.io'], resources: ['experiments', 'runs'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['get', 'list', 'watch'] },
];

let controlPlane: ControlPlane;
let namespace: string;
let teacher: string;
let student: string;
beforeAll(async () => {
  controlPlane = await startControlPlane({ crds: true });
  const { client } = controlPlane;
  namespace = await client.newNamespace('lab');
  const { metadata: _metadata, ...experiment } = experimentOf({
    distillation: [{ name: 'soft', softTargets: {} }],
    seeds: [1],
  });
  const experiments = `/apis/destillml.io/v1alpha1/namespaces/${namespace}/experiments`;
  await client.send('POST', experiments, { ...experiment, metadata: { name: 'study' } });
  const runs = plan({
    experiment: experimentOf(
      { distillation: [{ name: 'soft', softTargets: {} }], seeds: [1] },
      { namespace },
    ),
    runs: [],
    now: new Date(),
  }).create.map(({ metadata: { ownerReferences: _owner, ...metadata }, ...run }) => ({ ...run, metadata }));
  for (const run of runs) await client.send('POST', `${experiments.replace('experiments', 'runs')}`, run);
  teacher = runs.find(({ spec }) => spec.parameters.role === 'teacher')?.metadata.name ?? '';
  student = runs.find(({ spec }) => spec.parameters.role === 'distilled')?.metadata.name ?? '';
  await client.send('POST', `/api/v1/namespaces/${namespace}/events`, {
    metadata: { name: 'refused', namespace },
    type: 'Warning',
    reason: 'JobRefused',
    message: 'exceeded quota: gpus',
    involvedObject: { apiVersion: 'destillml.io/v1alpha1', kind: 'Run', name: teacher, namespace },
    lastTimestamp: '2026-03-01T12:00:00Z',
  });
}, 120_000);
afterAll(() => controlPlane?.stop());

/** Flags of somebody who may do that, and nothing else. */
async function as(name: string, rules: typeof view): Promise<readonly string[]> {
  const { client, access } = controlPlane;
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await client.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  await client.send('POST', `${rbac}/roles`, { metadata: { name }, rules });
  await client.send('POST', `${rbac}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const kubeconfig = kubeconfigFor(access, { token: await tokenOf(client, { namespace, name }) });
  return ['--namespace', namespace, '--kubeconfig', kubeconfig];
}

it('whoever may view sees why a Run waits, what was warned of, and the queue', async () => {
  const viewer = await as('viewer', view);
  const waits = await destill('why', student, ...viewer);
  expect(waits).toMatchObject({ code: 0, stderr: '' });
  expect(waits.stdout).toBe(
    `${student} (small soft, seed 1) is Waiting. It waits for its teacher: ${teacher} is Waiting.\n` +
      `Next: destill why ${teacher} --namespace ${namespace}\n`,
  );
  expect((await destill('why', teacher, ...viewer)).stdout).toContain(
    'Warning: JobRefused: exceeded quota: gpus\n',
  );
  const queue = await destill('queue', ...viewer);
  expect(queue.stdout).toMatch(/^ *FOR +RUN\nWaiting \(3\)\n/);
  expect(queue.stdout).toContain(student);
});

it('prints the table of an Experiment, as of one of this machine', async () => {
  const { client } = controlPlane;
  const runs = `/apis/destillml.io/v1alpha1/namespaces/${namespace}/runs`;
  const trained = { phase: 'Succeeded', conditions: [], result: resultOf(0.9) };
  await client.send(
    'PATCH',
    `${runs}/${teacher}/status`,
    { status: trained },
    {
      contentType: 'application/merge-patch+json',
    },
  );
  const viewer = await as('reader', view);
  const { stdout, stderr } = await destill('results', 'study', ...viewer);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^resnet56 +teacher +0\.08 M +90\.0 %/m);
  const missing = await destill('results', 'nothing', ...viewer);
  expect(missing.stderr).toContain('there is no Experiment nothing in the namespace');
});

it('whoever may edit stops an Experiment, goes on with it, and has its failed Runs trained again', async () => {
  const { client } = controlPlane;
  const objects = `/apis/destillml.io/v1alpha1/namespaces/${namespace}`;
  const editor = await as('editor', [
    ...view,
    { apiGroups: ['destillml.io'], resources: ['experiments', 'runs'], verbs: ['patch', 'delete'] },
  ]);
  const suspended = async () =>
    (await client.send<{ spec: { suspend?: boolean } }>('GET', `${objects}/experiments/study`)).spec.suspend;
  expect((await destill('stop', 'study', ...editor)).stdout).toContain('study stops');
  expect(await suspended()).toBe(true);
  expect((await destill('why', student, ...editor)).stdout).toContain('Its Experiment is suspended.');
  expect((await destill('start', 'study', ...editor)).stdout).toContain('study goes on');
  expect(await suspended()).toBe(false);

  expect((await destill('retry', 'study', ...editor)).stdout).toBe('no Run of study has failed\n');
  const status = { phase: 'Failed', conditions: [], reason: 'OutOfMemory', message: 'Give it more.' };
  await client.send(
    'PATCH',
    `${objects}/runs/${student}/status`,
    { status },
    {
      contentType: 'application/merge-patch+json',
    },
  );
  expect((await destill('retry', 'study', ...editor)).stdout).toBe(`${student} is made anew\n`);
  expect((await client.request('GET', `${objects}/runs/${student}`)).status).toBe(404);

  const viewer = await as('reads', view);
  const refused = await destill('stop', 'study', ...viewer);
  expect(refused.code).toBe(1);
  expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
    `you may not patch experiments in the namespace ${namespace}: ask its admin for the role edit`,
  );
  for (const command of ['stop', 'start', 'retry']) {
    const { stderr } = await destill(command, 'nothing', ...editor);
    expect(stderr).toContain('there is no Experiment nothing');
  }
});

it('what somebody may not do, and whom to ask, is said by name', async () => {
  const [first] = view;
  const blind = await as('blind', [{ ...first!, verbs: ['watch'] }]);
  expect(await destill('queue', ...blind)).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: you may not list runs in the namespace ${namespace}: ask its admin for the\n  role view\n`,
  });
});

it('a Run that is not there is named, and how to list those that are', async () => {
  const viewer = await as('other', view);
  const { code, stderr } = await destill('why', 'nothing', ...viewer);
  expect(code).toBe(2);
  expect(stderr).toContain(`there is no Run nothing in the namespace ${namespace}`);
});

it('a cluster that is not there is named, with its address', async () => {
  const kubeconfig = kubeconfigFor(controlPlane.access, { token: 'none', server: 'https://127.0.0.1:1' });
  const { code, stderr } = await destill('queue', '--kubeconfig', kubeconfig);
  expect(code).toBe(1);
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
    'error: the cluster at https://127.0.0.1:1 does not answer:',
  );
});

it('a context that is not there is named, with those that are', async () => {
  const kubeconfig = kubeconfigFor(controlPlane.access, { token: 'none' });
  const { code, stderr } = await destill('queue', '--kubeconfig', kubeconfig, '--context', 'lab');
  expect(code).toBe(1);
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain('context "lab" is not in');
  expect(stderr).toContain('(contexts: test)');
});
