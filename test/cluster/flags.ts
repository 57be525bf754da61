import type { Folder } from './folder.ts';

export function etcdFlags(folder: Folder, port: number, peerPort: number): string[] {
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${folder.file('etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // The data live no longer than the process.
    '--unsafe-no-fsync',
  ];
}

/** Where an API server listens and where its etcd does, and the range of its Services' addresses. */
export type ApiServerPlace = {
  readonly address: string;
  readonly port: number;
  readonly etcdPort: number;
  readonly services: string;
};

export function apiServerFlags(
  folder: Folder,
  { address, port, etcdPort, services }: ApiServerPlace,
): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--secure-port=${port}`,
    `--cert-dir=${folder.file('certificates')}`,
    `--token-auth-file=${folder.file('tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${folder.file('service-account.pub')}`,
    `--service-account-signing-key-file=${folder.file('service-account.key')}`,
    `--service-cluster-ip-range=${services}`,
    // So that it is pod security, not this switch, that refuses privileged pods.
    '--allow-privileged=true',
  ];
}

/** Those of an API server that has no nodes, and maybe no controller manager. */
export function nodelessApiServerFlags(controllers: boolean): string[] {
  return [
    '--authorization-mode=RBAC',
    // Its Service "kubernetes" cannot have an address of the loopback.
    '--endpoint-reconciler-type=none',
    // Without the controller manager nobody makes the service accounts that pods would be refused for lacking.
    ...(controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
  ];
}

export function controllerFlags(folder: Folder, kubeconfig: string, limits: boolean): string[] {
  return [
    ...schedulerFlags(kubeconfig, limits),
    `--service-account-private-key-file=${folder.file('service-account.key')}`,
    `--root-ca-file=${folder.file('certificates/apiserver.crt')}`,
    '--controllers=*,-node-ipam-controller,-node-route-controller,-service-lb-controller',
  ];
}

/** Those of a controller manager whose nodes have no kubelet whose heartbeats could stay away. */
export const patientControllerFlags = [
  '--node-monitor-grace-period=24h',
  '--node-startup-grace-period=24h',
] as const;

/** One of a kind that serves nothing itself. @param limits whether it holds back its requests */
export function schedulerFlags(kubeconfig: string, limits: boolean): string[] {
  const unlimited = ['--kube-api-qps=5000', '--kube-api-burst=10000'];
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    ...(limits ? [] : unlimited),
  ];
}
