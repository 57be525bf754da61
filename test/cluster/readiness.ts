import { readFileSync } from 'node:fs';
import type { Children } from './children.ts';
import type { Client } from './client.ts';
import type { Folder } from './folder.ts';
import { waitFor } from './wait.ts';

/** The certificate that the API server makes for itself when it starts, PEM. */
export function servingCertificate(folder: Folder, children: Children): Promise<string> {
  return waitFor('the certificate of the API server', () => {
    children.check();
    try {
      const text = readFileSync(folder.file('certificates/apiserver.crt'), 'utf8');
      return text.trimEnd().endsWith('-----END CERTIFICATE-----') ? text : undefined;
    } catch {
      return undefined;
    }
  });
}

export function apiServerReady(client: Client, children: Children): Promise<true> {
  return waitFor(
    'the API server to be ready',
    async () => {
      children.check();
      try {
        return (await client.request('GET', '/readyz')).status === 200 ? true : undefined;
      } catch {
        return undefined;
      }
    },
    90_000,
  );
}

export function controllersReady(client: Client, children: Children): Promise<true> {
  return waitFor(
    'the controller manager to make the default service account',
    async () => {
      children.check();
      const { status } = await client.request('GET', '/api/v1/namespaces/default/serviceaccounts/default');
      return status === 200 ? true : undefined;
    },
    90_000,
  );
}
