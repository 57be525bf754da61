import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiClient } from '../../../operator/runtime/api-client.ts';
import { Connection } from '../../../operator/runtime/connection.ts';
import { loadKubeConfig } from '../../../operator/runtime/kube-config.ts';
import { HttpApi, json } from './http-api.ts';
import { thing, things } from './things.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'destillml-kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function kubeconfig(): string {
  return write(
    'kubeconfig',
    JSON.stringify({
      clusters: ['one', 'two'].map((name) => ({ name, cluster: { server: `https://${name}.example.org` } })),
      users: [{ name: 'me', user: { token: 'secret' } }],
      contexts: ['one', 'two'].map((name) => ({ name, context: { cluster: name, user: 'me' } })),
      'current-context': 'one',
    }),
  );
}

describe('loadKubeConfig', () => {
  it('reads a file, and another context of it when told', () => {
    const file = kubeconfig();
    expect(loadKubeConfig({ file }).getCurrentCluster()?.server).toBe('https://one.example.org');
    expect(loadKubeConfig({ file, context: 'two' }).getCurrentCluster()?.server).toBe(
      'https://two.example.org',
    );
  });

  it.each([
    ['a file that is not there', () => ({ file: join(folder, 'none') }), /none: cannot be read: ENOENT/],
    ['a file that is none', () => ({ file: write('bad', '{') }), /bad: cannot be read/],
    [
      'a context that is not there',
      () => ({ file: kubeconfig(), context: 'three' }),
      /context "three" is not in .*kubeconfig \(contexts: one, two\); give --kubeconfig and --context/,
    ],
  ])('says what is wrong with %s', (_what, options, message) => {
    expect(() => loadKubeConfig(options())).toThrow(
      expect.objectContaining({ code: 'Environment', message: expect.stringMatching(message) }),
    );
  });
});

describe('where there is no kubeconfig', () => {
  beforeEach(() => {
    vi.stubEnv('HOME', folder);
    vi.stubEnv('KUBECONFIG', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([{}, { context: 'lab' }])('that is said, and no cluster is made up: %j', (options) => {
    expect(() => loadKubeConfig(options)).toThrow(
      'no cluster to talk to: there is neither $KUBECONFIG nor ~/.kube/config; give --kubeconfig and --context',
    );
  });
});

describe('credentials', () => {
  let api: HttpApi;
  beforeEach(async () => {
    api = new HttpApi();
    await api.start();
  });
  afterEach(() => api.stop());

  /** What the server is told who we are, with a user of a kubeconfig. */
  async function authorization(user: object): Promise<string | undefined> {
    const config = new KubeConfig();
    const cluster = { name: 'test', server: `http://${api.host}`, skipTLSVerify: true };
    config.loadFromClusterAndUser(cluster, { name: 'test', ...user });
    const connection = new Connection(config);
    api.replies.push(json(200, thing('a')));
    const client = new ApiClient({ connection, fieldManager: 'x', userAgent: 'x' });
    await client.get(things, { namespace: 'lab', name: 'a' }, new AbortController().signal);
    connection.close();
    return api.received.at(-1)?.headers.authorization;
  }

  it('come from the token file of a service account', async () => {
    const tokenFile = write('token', 'from-file\n');
    expect(await authorization({ authProvider: { name: 'tokenFile', config: { tokenFile } } })).toBe(
      'Bearer from-file',
    );
  });

  it('come from a user name and a password', async () => {
    const text = Buffer.from('me:secret').toString('base64');
    expect(await authorization({ username: 'me', password: 'secret' })).toBe(`Basic ${text}`);
  });

  it('come from a program that makes them', async () => {
    const credential = {
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      status: { token: 'from-program' },
    };
    const command = write('login', `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
    chmodSync(command, 0o700);
    const exec = { apiVersion: credential.apiVersion, command, args: [], interactiveMode: 'Never' };
    expect(await authorization({ exec })).toBe('Bearer from-program');
  });
});
