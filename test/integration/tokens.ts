import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Access, Client } from '../cluster/client.ts';
import type { Place } from './kubelet.ts';

export type TokenOptions = {
  /** Whom it is for: the API server unless told. */
  readonly audience?: string;
  /** Name of the pod that it is bound to: none unless told. */
  readonly pod?: string;
};

/** A token of a service account, made by the API server as it does it for kubelets. */
export async function tokenOf(
  client: Client,
  { namespace, name }: Place,
  { audience, pod }: TokenOptions = {},
): Promise<string> {
  type TokenRequest = { readonly status: { readonly token: string } };
  const { status } = await client.send<TokenRequest>(
    'POST',
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        expirationSeconds: 3600,
        ...(audience === undefined ? {} : { audiences: [audience] }),
        ...(pod === undefined ? {} : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod } }),
      },
    },
  );
  return status.token;
}

/** The token that the kubelet mounts into the pod of a Run, for reports. */
export function podToken(
  client: Client,
  { metadata: { namespace, name } }: { readonly metadata: Place },
  audience = 'destillml',
): Promise<string> {
  return tokenOf(client, { namespace, name: 'default' }, { audience, pod: name });
}

/** A kubeconfig for whoever has the token: its path. It goes with the test. */
export function kubeconfigFor(
  { url, ca }: Pick<Access, 'url' | 'ca'>,
  { token, server = url }: { readonly token: string; readonly server?: string },
): string {
  const authority = server.startsWith('https:')
    ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
    : { 'insecure-skip-tls-verify': true };
  return join(
    temporaryFolder({
      kubeconfig: JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'test', cluster: { server, ...authority } }],
        users: [{ name: 'bearer', user: { token } }],
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'bearer' } }],
        'current-context': 'test',
      }),
    }),
    'kubeconfig',
  );
}

/** A folder with these files in it, which goes with the test. */
export function temporaryFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'destill-integration-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
