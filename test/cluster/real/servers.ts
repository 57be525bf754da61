import { existsSync, mkdirSync } from 'node:fs';
import type { Children } from '../children.ts';
import { Client } from '../client.ts';
import { kubeconfigText, newToken, writeServiceAccountKey } from '../credentials.ts';
import { apiServerFlags, controllerFlags, etcdFlags, schedulerFlags } from '../flags.ts';
import type { Folder } from '../folder.ts';
import { apiServerReady, servingCertificate } from '../readiness.ts';
import { waitFor } from '../wait.ts';
import type { Namespaces } from './namespaces.ts';
import { network } from './network.ts';
import { run } from './run.ts';
import {
  cniSettings,
  containerdSettings,
  kubeletFlags,
  kubeProxySettings,
  nodeApiServerFlags,
  servers,
} from './settings.ts';

/** Of the API server, and of etcd for clients and for peers: nobody else is in the cluster's network namespace. */
const [port, etcdPort, peerPort] = [6443, 2379, 2380];

/** @returns a client of the API server, once it is ready */
export async function startControlPlane(folder: Folder, children: Children): Promise<Client> {
  const tokens = await writeCredentials(folder);
  children.start('etcd', etcdFlags(folder, etcdPort, peerPort));
  children.start('kube-apiserver', [
    ...apiServerFlags(folder, { address: network.node, port, etcdPort, services: network.services }),
    ...nodeApiServerFlags(folder),
  ]);
  const url = `https://${network.node}:${port}`;
  const ca = await servingCertificate(folder, children);
  const kubeconfig = (name: string, token: string) => folder.write(name, kubeconfigText(url, ca, token));
  for (const [name, token] of Object.entries(tokens.servers)) kubeconfig(`${name}.kubeconfig`, token);
  const access = {
    url,
    ca,
    tokens: tokens.people,
    kubeconfig: kubeconfig('kubeconfig', tokens.people.admin),
  };
  const client = new Client({ ...access, controllers: true });
  await apiServerReady(client, children);
  // It makes some hundred objects before it is of use.
  const limits = false;
  children.start('kube-controller-manager', [
    ...controllerFlags(folder, folder.file('kube-controller-manager.kubeconfig'), limits),
    '--use-service-account-credentials=true',
  ]);
  children.start('kube-scheduler', schedulerFlags(folder.file('kube-scheduler.kubeconfig'), true));
  return client;
}

/** Waits until it listens. */
export async function startContainerd(
  folder: Folder,
  children: Children,
  { init }: Namespaces,
): Promise<void> {
  mkdirSync(folder.file('cni'));
  folder.write('cni/pods.conflist', cniSettings());
  const config = folder.write('containerd.toml', containerdSettings(folder));
  children.start('containerd', [`--config=${config}`], '/usr/bin/containerd');
  await waitFor('containerd', () => {
    children.check();
    return existsSync(`/proc/${init.pid}/root/run/containerd/containerd.sock`) || undefined;
  });
}

/** They need a control plane, and containerd. */
export function startNodeServers(folder: Folder, children: Children): void {
  const proxy = folder.write('kube-proxy.yaml', kubeProxySettings(folder.file('kube-proxy.kubeconfig')));
  children.start('kubelet', kubeletFlags(folder, folder.file('kubelet.kubeconfig')));
  children.start('kube-proxy', [`--config=${proxy}`]);
}

async function writeCredentials(folder: Folder) {
  const people = { admin: newToken(), user: newToken() };
  const lines = [`${people.admin},admin,admin,system:masters`, `${people.user},user,user`];
  const tokens: Record<string, string> = {};
  for (const [name, identity] of Object.entries(servers)) {
    const token = newToken();
    tokens[name] = token;
    lines.push(
      [token, identity.user, identity.user, ...('group' in identity ? [identity.group] : [])].join(','),
    );
  }
  folder.write('tokens.csv', `${lines.join('\n')}\n`);
  writeServiceAccountKey(folder);
  await writeKubeletClient(folder);
  return { people, servers: tokens };
}

/** A certificate by which the kubelet knows the API server: its own authority, and nobody else's. */
async function writeKubeletClient(folder: Folder): Promise<void> {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '365'];
  const files = ['-keyout', folder.file('kubelet-client.key'), '-out', folder.file('kubelet-client.crt')];
  await run('openssl', 'req', ...kind, '-subj', '/O=system:masters/CN=kube-apiserver', ...files);
}
