import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Folder } from './folder.ts';

/** A bearer token that nobody guesses. */
export function newToken(): string {
  return randomBytes(24).toString('hex');
}

/** Writes the pair of keys that service account tokens are signed and verified with. */
export function writeServiceAccountKey(folder: Folder): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  folder.write('service-account.key', privateKey);
  folder.write('service-account.pub', publicKey);
}

/** JSON is YAML, and needs no quoting of its own. */
export function kubeconfigText(server: string, ca: string, token: string): string {
  const data = Buffer.from(ca).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}

/** A kubeconfig for what speaks HTTP on loopback, such as a proxy. */
export function plainKubeconfig(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'plain', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'bearer', user: { token } }],
    contexts: [{ name: 'plain', context: { cluster: 'plain', user: 'bearer' } }],
    'current-context': 'plain',
  });
}
