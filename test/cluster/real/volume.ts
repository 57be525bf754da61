import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Client } from '../client.ts';
import { nodeName } from './settings.ts';

/** Which claim gets a volume; it need not be there yet. */
export type VolumeOptions = { readonly namespace: string; readonly claim: string };

/**
 * Makes a volume for a claim without a storage class: a folder of this machine that many pods may write at a time,
 * given to the pods' `fsGroup` as a network volume is.
 *
 * @returns the folder, which goes with the cluster
 */
export async function addVolume(client: Client, { namespace, claim }: VolumeOptions): Promise<string> {
  const path = join(dirname(client.access.kubeconfig), 'volumes', namespace, claim);
  mkdirSync(path, { recursive: true });
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] };
  await client.send('POST', '/api/v1/persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${namespace}-${claim}` },
    spec: {
      capacity: { storage: '100Gi' },
      accessModes: ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'],
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace, name: claim },
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
    },
  });
  return path;
}
