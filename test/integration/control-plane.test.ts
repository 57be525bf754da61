import { afterAll, describe, expect, inject, it } from 'vitest';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };

function pod(name: string, securityContext: object): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'example.org/none', securityContext }] },
  };
}

const harmless = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

describe('the API server', () => {
  it('is the pinned version of Kubernetes, on this machine only', async () => {
    expect(await client.send('GET', '/version')).toMatchObject({
      major: '1',
      minor: '36',
      gitVersion: 'v1.36.3',
    });
    expect(client.access.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  });

  it('lets the administrator do everything, a user without a role nothing, a stranger not even in', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const stranger = { as: { token: 'stranger' } } as const;
    expect(await client.request('GET', pods)).toMatchObject({ status: 200, body: { kind: 'PodList' } });
    expect(await client.request('GET', pods, undefined, { as: 'user' })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('User "user" cannot list resource "pods"') },
    });
    expect(await client.request('GET', pods, undefined, stranger)).toMatchObject({ status: 401 });
  });

  it('keeps privileged pods out of a restricted namespace, and lets harmless ones in', async () => {
    const pods = `/api/v1/namespaces/${await client.newNamespace('restricted', restricted)}/pods`;
    expect(await client.request('POST', pods, pod('privileged', { privileged: true }))).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('violates PodSecurity "restricted:latest": privileged') },
    });
    expect(await client.request('POST', pods, pod('harmless', harmless))).toMatchObject({ status: 201 });
  });

  it('lets privileged pods into other namespaces', async () => {
    const pods = `/api/v1/namespaces/${await client.newNamespace('open')}/pods`;
    const answer = await client.request('POST', pods, pod('privileged', { privileged: true }));
    expect(answer).toMatchObject({ status: 201 });
  });
});

describe("a pod's token", () => {
  type Token = { readonly status: { readonly token: string } };

  async function podToken(audience: string): Promise<string> {
    const namespace = await client.newNamespace('tokens');
    await client.send('POST', `/api/v1/namespaces/${namespace}/pods`, pod('trainer', harmless));
    const { status } = await client.send<Token>(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/default/token`,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: [audience],
          expirationSeconds: 600,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'trainer' },
        },
      },
    );
    return status.token;
  }

  function review(token: string, audience: string): Promise<unknown> {
    return client.send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [audience] },
    });
  }

  it('is known as the token of that pod, to those it is for', async () => {
    expect(await review(await podToken('destillml'), 'destillml')).toMatchObject({
      status: {
        authenticated: true,
        audiences: ['destillml'],
        user: {
          username: expect.stringMatching(/^system:serviceaccount:tokens-.*:default$/),
          extra: { 'authentication.kubernetes.io/pod-name': ['trainer'] },
        },
      },
    });
  });

  it('is worth nothing to others, the API server among them', async () => {
    const token = await podToken('destillml');
    expect(await review(token, 'another')).toMatchObject({
      status: { error: expect.stringContaining('token audiences ["destillml"] is invalid') },
    });
    expect(await client.request('GET', '/api', undefined, { as: { token } })).toMatchObject({ status: 401 });
  });
});

describe('the controller manager', () => {
  type List = { readonly items: readonly { readonly metadata: Readonly<Record<string, unknown>> }[] };

  it('makes the pod of a Job, and removes it after its Job', async () => {
    const namespace = await client.newNamespace('jobs', restricted);
    const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    const pods = (): Promise<List> => client.send('GET', `/api/v1/namespaces/${namespace}/pods`);
    await client.send('POST', jobs, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'train' },
      spec: {
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [{ name: 'main', image: 'example.org/none', securityContext: harmless }],
          },
        },
      },
    });

    const [made] = await waitFor('the pod of the Job', async () => {
      const { items } = await pods();
      return items.length > 0 ? items : undefined;
    });
    expect(made?.metadata).toMatchObject({
      labels: { 'batch.kubernetes.io/job-name': 'train' },
      ownerReferences: [{ kind: 'Job', name: 'train', controller: true }],
    });

    await client.send('DELETE', `${jobs}/train`, {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Background',
    });
    await waitFor('the pod to follow its Job', async () => {
      const { items } = await pods();
      return items.length === 0 ? true : undefined;
    });
  });
});
