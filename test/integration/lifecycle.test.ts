import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';

describe('a control plane of a test alone', () => {
  let controlPlane: ControlPlane;
  beforeAll(async () => {
    controlPlane = await startControlPlane({ controllers: false });
  });
  afterAll(() => controlPlane.stop());

  const configMaps = '/api/v1/namespaces/default/configmaps';

  it('is another one than the shared one', async () => {
    const shared = inject('controlPlane');
    const foreign = { as: { token: shared.tokens.admin } } as const;
    expect(controlPlane.access.url).not.toBe(shared.url);
    expect(await controlPlane.client.request('GET', configMaps, undefined, foreign)).toMatchObject({
      status: 401,
    });
  });

  it('takes pods although nobody makes their service account', async () => {
    const namespace = await controlPlane.client.newNamespace('plain');
    await controlPlane.client.send('POST', `/api/v1/namespaces/${namespace}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'one' },
      spec: { containers: [{ name: 'main', image: 'example.org/none' }] },
    });
  });

  it('keeps its address and its objects when its API server dies and comes back', async () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } };
    await controlPlane.client.send('POST', configMaps, configMap);
    const before = controlPlane.pids;
    await controlPlane.restartApiServer();
    expect(controlPlane.pids).not.toEqual(before);
    expect(await controlPlane.client.send('GET', `${configMaps}/kept`)).toMatchObject(configMap);
  });

  it('leaves neither processes nor files once it is stopped', async () => {
    const { pids, access } = controlPlane;
    expect(pids).toHaveLength(2);
    await controlPlane.stop();
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(dirname(access.kubeconfig))).toBe(false);
  });
});

describe('a control plane that does not come up', () => {
  it('says which server ended and what was last in its log, and leaves nothing', async () => {
    await expect(
      startControlPlane({ controllers: false, apiServerFlags: ['--no-such-flag'] }),
    ).rejects.toThrow(/kube-apiserver ended \(1\); last in its log:\n[\s\S]*unknown flag: --no-such-flag/);
  });
});
