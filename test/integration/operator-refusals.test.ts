import { afterAll, describe, expect, inject, it, type TestContext } from 'vitest';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment, runOperator } from './operator-fixtures.ts';
import { conditionsOf, restrictedNamespace, TestLab } from './operator-lab.ts';
import { SeveredProxy } from './severed-proxy.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

/** A teacher and a baseline, which compete for nothing. */
const two = (spec: object = {}) => experiment('study', { distillation: [], ...spec });
const again = 'It is tried again, after a minute at the latest.';
const admission = '/apis/admissionregistration.k8s.io/v1';

/** A namespace with an operator whose complaints are part of the test, and whose writes are counted. */
async function open(context: TestContext) {
  const proxy = await SeveredProxy.open(client.access);
  const namespace = await restrictedNamespace(client, 'refused');
  const operator = await runOperator(proxy.kubeconfig, [namespace]);
  context.onTestFinished(async () => {
    await operator.stop();
    await proxy.close();
  });
  return { here: new TestLab(context, client, namespace, operator), operator, writes: proxy.writes };
}

/** @returns what changes it */
async function quota(namespace: string, resource: string, most: number) {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
  const hard = (count: number) => ({ spec: { hard: { [resource]: String(count) } } });
  const metadata = { name: 'lab' };
  await client.send('POST', path, { apiVersion: 'v1', kind: 'ResourceQuota', metadata, ...hard(most) });
  // Before that, the API server refuses everything with another word.
  await waitFor('the quota to be counted', async () => {
    const { status } = await client.send<{ status?: { used?: object } }>('GET', `${path}/lab`);
    return status?.used;
  });
  return (count: number) =>
    client.send('PATCH', `${path}/lab`, hard(count), { contentType: 'application/merge-patch+json' });
}

const only = (namespace: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': namespace } });

/** A policy of the cluster that denies that in the namespace. @returns what ends it */
async function policy(
  context: TestContext,
  namespace: string,
  {
    resource,
    group,
    operation,
    message,
  }: Readonly<Record<'resource' | 'group' | 'operation' | 'message', string>>,
) {
  const name = `${namespace}-${operation.toLowerCase()}`;
  const create = (kind: string, plural: string, spec: object) =>
    client.send('POST', `${admission}/${plural}`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind,
      metadata: { name },
      spec,
    });
  await create('ValidatingAdmissionPolicy', 'validatingadmissionpolicies', {
    failurePolicy: 'Fail',
    matchConstraints: {
      namespaceSelector: only(namespace),
      resourceRules: [
        { apiGroups: [group], apiVersions: ['*'], operations: [operation], resources: [resource] },
      ],
    },
    validations: [{ expression: 'false', message }],
  });
  await create('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', {
    policyName: name,
    validationActions: ['Deny'],
  });
  let isThere = true;
  const end = async () => {
    if (!isThere) return;
    isThere = false;
    await client.send('DELETE', `${admission}/validatingadmissionpolicybindings/${name}`);
    await client.send('DELETE', `${admission}/validatingadmissionpolicies/${name}`);
  };
  context.onTestFinished(end);
  return { end, name };
}

/** Waits until a policy for Jobs works, which it does some time after it was made. */
async function inForce(namespace: string): Promise<void> {
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'probe' },
    spec: {
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'probe', image: 'probe' }] } },
    },
  };
  await waitFor('Jobs to be refused', async () => {
    const { status } = await client.request(
      'POST',
      `/apis/batch/v1/namespaces/${namespace}/jobs?dryRun=All`,
      job,
    );
    return status >= 400 || undefined;
  });
}

const count = (writes: readonly string[], kind: string) => writes.filter((write) => write === kind).length;

describe.concurrent('a write that the API server refuses', () => {
  it('is told on the Run whose Job it is: a quota for Jobs', async (context) => {
    const { here, operator, writes } = await open(context);
    const raise = await quota(here.namespace, 'count/jobs.batch', 0);
    await here.apply(two());
    const message = `Its Job cannot be created: ResourceQuota lab leaves no room (requested: count/jobs.batch=1, used: count/jobs.batch=0, limited: count/jobs.batch=0). Wait until there is room, or ask for a larger quota. ${again}`;
    const { metadata, status } = await here.phase('teacher', 'Queued', 'QuotaExceeded');
    expect(status?.message).toBe(message);
    expect(conditionsOf({ status })).toMatchObject({ Progressing: `False QuotaExceeded: ${message}` });
    expect(await here.told(metadata.name, 'QuotaExceeded')).toEqual([
      { type: 'Warning', reason: 'QuotaExceeded', note: message },
    ]);
    const all = `Run ${metadata.name}: ${message} (and 1 other Run)`;
    await here.until(
      'study',
      'to say so',
      (it) => conditionsOf(it).Progressing === `False QuotaExceeded: ${all}`,
    );
    expect(await here.told('study', 'QuotaExceeded')).toContainEqual({
      type: 'Warning',
      reason: 'QuotaExceeded',
      note: all,
    });
    const described = await client.kubectl('describe', '-n', here.namespace, 'drun', metadata.name);
    expect(described.replaceAll(/\s+/g, ' ')).toContain(message);

    // However often it is tried, nothing is written again.
    const before = { tries: count(writes, 'POST jobs'), statuses: count(writes, 'PATCH runs/status') };
    await waitFor('more tries', async () => count(writes, 'POST jobs') >= before.tries + 4 || undefined);
    expect(count(writes, 'PATCH runs/status')).toBe(before.statuses);
    expect(before.statuses).toBe(2);
    expect((await here.told(metadata.name, 'QuotaExceeded')).length).toBe(1);
    const names = operator.complaints.map(({ msg, name }) => [msg, name]);
    expect(names.filter(([, name]) => name === metadata.name)).toEqual([[message, metadata.name]]);

    await raise(2);
    here.play();
    await here.ended('study');
  });

  it('is told on the Experiment whose Runs they are, while those that are there train: a quota for Runs', async (context) => {
    const { here, writes } = await open(context);
    const raise = await quota(here.namespace, 'count/runs.destillml.io', 1);
    await here.apply(two());
    const message = `Its Runs cannot all be created: ResourceQuota lab leaves no room (requested: count/runs.destillml.io=1, used: count/runs.destillml.io=1, limited: count/runs.destillml.io=1). Wait until there is room, or ask for a larger quota. ${again}`;
    const { status } = await here.until(
      'study',
      'to say so',
      (it) => conditionsOf(it).Progressing === `True RunsActive: 1 Runs active, 0 waiting. ${message}`,
    );
    expect(Object.values(status?.runs ?? {})).toEqual([1]);
    expect((await here.told('study', 'QuotaExceeded')).at(-1)).toEqual({
      type: 'Warning',
      reason: 'QuotaExceeded',
      note: message,
    });
    here.play();
    await here.until(
      'study',
      'to get no further',
      (it) => conditionsOf(it).Progressing === `False QuotaExceeded: ${message}`,
    );
    const statuses = count(writes, 'PATCH experiments/status');
    const tries = count(writes, 'POST runs');
    await waitFor('more tries', async () => count(writes, 'POST runs') >= tries + 2 || undefined);
    expect(count(writes, 'PATCH experiments/status')).toBe(statuses);
    await raise(2);
    await here.ended('study');
  });

  it('is told with the name of the webhook that is down', async (context) => {
    const { here } = await open(context);
    const name = `${here.namespace}.example.com`;
    const path = `${admission}/validatingwebhookconfigurations`;
    await client.send('POST', path, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name,
          clientConfig: { url: 'https://127.0.0.1:1/check' },
          rules: [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] }],
          namespaceSelector: only(here.namespace),
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          timeoutSeconds: 2,
        },
      ],
    });
    let isThere = true;
    const repair = async () => {
      if (isThere) await client.send('DELETE', `${path}/${name}`);
      isThere = false;
    };
    context.onTestFinished(repair);
    await inForce(here.namespace);
    await here.apply(two());
    const { metadata, status } = await here.phase('teacher', 'Queued', 'WebhookFailed');
    const message = `Its Job cannot be created: failed calling webhook "${name}": failed to call webhook: Post "https://127.0.0.1:1/check?timeout=2s": dial tcp: connect: connection refused. Whoever runs the cluster has to repair that webhook, or to exempt this namespace from it. ${again}`;
    expect(status?.message).toBe(message);
    expect(await here.told(metadata.name, 'WebhookFailed')).toHaveLength(1);
    await here.until('study', 'to say so', (it) =>
      /^False WebhookFailed: Run /.test(conditionsOf(it).Progressing ?? ''),
    );
    await repair();
    here.play();
    await here.ended('study');
    expect(conditionsOf(await here.run('teacher')).Progressing).toMatch(/^False Trained: /);
  });

  it('is told with the words of the policy that denies it, also of a Job that is to go', async (context) => {
    const { here } = await open(context);
    const jobs = { resource: 'jobs', group: 'batch' };
    const denied = { ...jobs, operation: 'CREATE', message: 'no Jobs on Mondays' };
    const { end, name } = await policy(context, here.namespace, denied);
    await inForce(here.namespace);
    await here.apply(two());
    const text = (policyName: string, why: string) =>
      `ValidatingAdmissionPolicy '${policyName}' with binding '${policyName}' denied request: ${why}. Change what is refused, or have the policy changed. ${again}`;
    const { status } = await here.phase('baseline', 'Queued', 'AdmissionDenied');
    expect(status?.message).toBe(`Its Job cannot be created: ${text(name, 'no Jobs on Mondays')}`);
    await end();
    const pod = await here.train('baseline');

    const kept = await policy(context, here.namespace, {
      ...jobs,
      operation: 'DELETE',
      message: 'Jobs stay',
    });
    await waitFor('Jobs to stay', async () => {
      const path = `/apis/batch/v1/namespaces/${here.namespace}/jobs/${(await here.run('baseline')).metadata.name}?dryRun=All`;
      return (await client.request('DELETE', path)).status >= 400 || undefined;
    });
    await here.change('experiments', 'study', { suspend: true });
    const paused = await here.phase('baseline', 'Running', 'AdmissionDenied');
    expect(paused.status?.message).toBe(`Its Job cannot be deleted: ${text(kept.name, 'Jobs stay')}`);
    expect(conditionsOf(paused).Progressing).toMatch(/^False AdmissionDenied: Its Job cannot be deleted: /);
    await kept.end();
    await here.kubelet.remove(await here.kubelet.toldToGo(pod));
    await here.phase('baseline', 'Waiting', 'Paused');
  });

  it('is told by an Event where the status itself is refused', async (context) => {
    const { here, operator } = await open(context);
    const { end, name } = await policy(context, here.namespace, {
      resource: 'runs/status',
      group: 'destillml.io',
      operation: 'UPDATE',
      message: 'nothing is said',
    });
    await here.apply(two({ suspend: true }));
    const { metadata } = await here.run('teacher');
    await waitFor('statuses to be refused', async () => {
      const probe = { status: { phase: 'Queued', conditions: [] } };
      const path = `${here.path('runs', metadata.name)}/status?dryRun=All`;
      const type = { contentType: 'application/merge-patch+json' };
      return (await client.request('PATCH', path, probe, type)).status >= 400 || undefined;
    });
    await here.change('experiments', 'study', { suspend: false });
    await here.kubelet.run(
      await here.kubelet.bind(
        await here.kubelet.podOf({ namespace: here.namespace, name: metadata.name }),
        'gpu-1',
      ),
    );
    const note = `Its status cannot be written: ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: nothing is said. Change what is refused, or have the policy changed. ${again}`;
    expect(await here.told(metadata.name, 'AdmissionDenied')).toEqual([
      { type: 'Warning', reason: 'AdmissionDenied', note },
    ]);
    expect(
      operator.complaints.filter(({ name: of }) => of === metadata.name).map(({ msg }) => msg),
    ).toContain(note);
    await end();
    await here.phase('teacher', 'Running', 'Training');
  });

  it('is told on the Experiment: a Run that may not start, and its own end that may not come', async (context) => {
    const { here } = await open(context);
    const ours = { group: 'destillml.io' };
    await here.apply(two({ suspend: true, ttlSecondsAfterFinished: 0 }));
    const { name: run } = (await here.run('teacher')).metadata;
    const still = { ...ours, resource: 'runs', operation: 'UPDATE', message: 'nothing moves' };
    const kept = { ...ours, resource: 'experiments', operation: 'DELETE', message: 'nothing goes' };
    const moving = await policy(context, here.namespace, still);
    const going = await policy(context, here.namespace, kept);
    await waitFor('both policies to work', async () => {
      const type = { contentType: 'application/merge-patch+json' };
      const dry = '?dryRun=All';
      const spec = { spec: { suspend: false } };
      const moved = await client.request('PATCH', here.path('runs', run) + dry, spec, type);
      const gone = await client.request('DELETE', here.path('experiments', 'study') + dry);
      return (moved.status >= 400 && gone.status >= 400) || undefined;
    });
    const text = (name: string, why: string) =>
      `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: ${why}. Change what is refused, or have the policy changed. ${again}`;
    const says = (message: string) =>
      here.until('study', `to say ${message}`, (it) => {
        const said = conditionsOf(it).Progressing;
        return said === `False AdmissionDenied: ${message}`;
      });
    await here.change('experiments', 'study', { suspend: false });
    await says(`Its Run ${run} cannot be changed: ${text(moving.name, 'nothing moves')}`);
    await moving.end();
    here.play();
    const note = `It cannot be deleted: ${text(going.name, 'nothing goes')}`;
    const { status } = await says(note);
    expect(status?.phase).toBe('Complete');
    expect((await here.told('study', 'AdmissionDenied')).map((event) => event.note)).toContain(note);
    await going.end();
    await here.empty('experiments');
  });
});
