import type { Folder } from '../folder.ts';
import { cgroupRoot } from './cgroups.ts';
import { network } from './network.ts';

/** Name of the node. */
export const nodeName = 'gpu-node';

/** Image whose program keeps the namespaces of a pod. */
export const pauseImage = 'localhost/pause:1';

/** Whose tokens the servers have; the roles of all but the administrator come with Kubernetes. */
export const servers = {
  'kube-controller-manager': { user: 'system:kube-controller-manager' },
  'kube-scheduler': { user: 'system:kube-scheduler' },
  'kube-proxy': { user: 'system:kube-proxy' },
  kubelet: { user: `system:node:${nodeName}`, group: 'system:nodes' },
} as const;

const socket = '/run/containerd/containerd.sock';

/** Those of an API server that has a node. */
export function nodeApiServerFlags(folder: Folder): string[] {
  return [
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    // "kubectl logs" and "exec" go through it to the kubelet; nobody resolves the node's name.
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${folder.file('kubelet-client.crt')}`,
    `--kubelet-client-key=${folder.file('kubelet-client.key')}`,
  ];
}

export function containerdSettings(folder: Folder): string {
  const runtime = '[plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "${socket}"
${runtime}]
  sandbox_image = "${pauseImage}"
  # Without it every sandbox fails where this process may not lower its own score.
  restrict_oom_score_adj = true
  # A profile would stay in the kernel when the cluster is gone.
  disable_apparmor = true
  disable_hugetlb_controller = true
${runtime}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${folder.file('cni')}"
${runtime}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`;
}

/** Each pod has a link of its own to the node, which passes on what goes from one to another. */
export function cniSettings(): string {
  const ipam = { type: 'host-local', subnet: network.pods, routes: [{ dst: '0.0.0.0/0' }] };
  return JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins: [{ type: 'ptp', ipam }] });
}

function kubeletSettings(folder: Folder): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: network.node,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: folder.file('kubelet-client.crt') },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // A full disk of the machine is not the tests' subject.
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
    clusterDomain: 'cluster.local',
    clusterDNS: [network.dns],
    resolvConf: folder.write('resolv.conf', ''),
  });
}

export function kubeletFlags(folder: Folder, kubeconfig: string): string[] {
  return [
    `--config=${folder.write('kubelet.yaml', kubeletSettings(folder))}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${network.node}`,
  ];
}

export function kubeProxySettings(kubeconfig: string): string {
  return JSON.stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig },
    clusterCIDR: network.pods,
    hostnameOverride: nodeName,
    // The machine's own settings, which a network namespace cannot change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });
}
