import { afterAll, describe, expect, inject, it } from 'vitest';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { asking, metricIn } from '../operator/server/asking.ts';
import { ApiProxy } from './api-proxy.ts';
import { experiment, Lab, startOperator } from './operator-fixtures.ts';
import { kubeconfigFor, tokenOf } from './tokens.ts';

const access = inject('controlPlane');
const client = new Client(access);
afterAll(() => client.close());

/** A bound for what hangs. */
const patience = { timeout: 30_000 };

async function newLab(): Promise<Lab> {
  return new Lab(client, await client.newNamespace('server'));
}

describe('/healthz and /readyz', () => {
  it('tell an operator that lives from one that knows the cluster, which alone makes Runs', async () => {
    const lab = await newLab();
    const proxy = await ApiProxy.start(access);
    const kubeconfig = kubeconfigFor(access, { token: access.tokens.admin, server: proxy.url });
    proxy.hold((_method, path) => /\/(runs|pods)\?.*limit=/.test(path));
    const { server, operator } = await startOperator(kubeconfig, [lab.namespace]);
    const ask = asking(server);

    await waitFor('all lists but two', async () => {
      const { status, text } = await ask('GET', '/readyz');
      expect(status).toBe(503);
      const { failed } = JSON.parse(text);
      return failed.length === 2 ? (expect(failed).toEqual(['runs', 'pods']) ?? true) : undefined;
    });
    expect((await ask('GET', '/healthz')).status).toBe(200);
    expect(proxy.held).toBe(2);

    await lab.apply(experiment('study'));
    await waitFor('the operator to see the Experiment', () =>
      operator.world.experiments.cache.get(`${lab.namespace}/study`),
    );
    expect(await lab.runs()).toEqual([]);
    expect((await ask('GET', '/readyz')).status).toBe(503);

    proxy.release();
    await expect.poll(async () => (await ask('GET', '/readyz')).status, patience).toBe(200);
    await lab.run('teacher');
  });
});

describe('/metrics', () => {
  it('is for those whom a ClusterRole allows it, for as long as it does', async () => {
    const { namespace } = await newLab();
    const { server } = await startOperator(access.kubeconfig, [namespace]);
    const scrape = (token?: string) =>
      asking(server)('GET', '/metrics', token === undefined ? {} : { token });
    const token = await tokenOf(client, { namespace, name: 'default' });

    const nobody = await scrape();
    expect(nobody).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect((await scrape('made-up')).status).toBe(401);
    const trainer = await tokenOf(client, { namespace, name: 'default' }, { audience: 'destillml' });
    expect((await scrape(trainer)).status).toBe(401);
    expect((await scrape(access.tokens.user)).status).toBe(403);
    const refused = await scrape(token);
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.text)).toEqual({
      code: 'Forbidden',
      message: `system:serviceaccount:${namespace}:default may not get /metrics: it needs a ClusterRole with that nonResourceURL`,
    });

    const roles = '/apis/rbac.authorization.k8s.io/v1';
    const metadata = { name: namespace };
    await client.send('POST', `${roles}/clusterroles`, {
      metadata,
      rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
    });
    await client.send('POST', `${roles}/clusterrolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: namespace },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'default' }],
    });
    await expect.poll(async () => (await scrape(token)).status, patience).toBe(200);
    // The role is looked up for every request. A token that is revoked is good for another minute: docs and unit tests.
    await client.send('DELETE', `${roles}/clusterrolebindings/${namespace}`);
    await expect.poll(async () => (await scrape(token)).status, patience).toBe(403);
    await client.send('DELETE', `${roles}/clusterroles/${namespace}`);
  });

  it('tells of the machinery under the names of controller-runtime, in the format of Prometheus', async () => {
    const lab = await newLab();
    const { server } = await startOperator(access.kubeconfig, [lab.namespace]);
    await lab.apply(experiment('study'));
    await lab.phase('teacher', 'Queued');
    const { status, headers, text } = await asking(server)('GET', '/metrics', {
      token: access.tokens.admin,
    });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');

    const { host } = new URL(access.url);
    const of = (controller: string) => `controller="${controller}"`;
    for (const controller of ['experiment', 'run']) {
      const done = ['success', 'requeue_after'].map((result) =>
        metricIn(text, 'controller_runtime_reconcile_total', `${of(controller)},result="${result}"`),
      );
      expect(done[0]! + done[1]!, controller).toBeGreaterThan(0);
      const failed = metricIn(text, 'controller_runtime_reconcile_errors_total', of(controller));
      expect(failed, controller).toBe(0);
      const labels = `name="${controller}",${of(controller)}`;
      expect(metricIn(text, 'workqueue_depth', labels), controller).toBeGreaterThanOrEqual(0);
      expect(metricIn(text, 'workqueue_adds_total', labels), controller).toBeGreaterThan(0);
    }
    const created = `code="201",method="POST",host="${host}"`;
    expect(metricIn(text, 'rest_client_requests_total', created)).toBeGreaterThan(0);
    expect(metricIn(text, 'leader_election_master_status', 'name="destill-operator"')).toBe(1);
    expect(metricIn(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(metricIn(text, 'process_cpu_seconds_total')).toBeGreaterThan(0);

    const told = new Set([...text.matchAll(/^# TYPE (\w+) \w+$/gm)].map(([, name]) => name));
    const helped = new Set([...text.matchAll(/^# HELP (\w+) \S/gm)].map(([, name]) => name));
    expect(helped).toEqual(told);
    for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
      const [, name = ''] = /^(\w+)(?:\{(?:\w+="[^"]*",?)+\})? \S+$/.exec(line) ?? [];
      expect(told.has(name) || told.has(name.replace(/_(bucket|sum|count)$/, '')), line).toBe(true);
    }
  });
});
