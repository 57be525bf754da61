import { cpSync, rmSync } from 'node:fs';
import { Children } from './children.ts';
import { type Access, Client } from './client.ts';
import { kubeconfigText, newToken, writeServiceAccountKey } from './credentials.ts';
import {
  apiServerFlags,
  controllerFlags,
  etcdFlags,
  nodelessApiServerFlags,
  patientControllerFlags,
  schedulerFlags,
} from './flags.ts';
import { removeAbandonedFolders, TemporaryFolder } from './folder.ts';
import { createNodes, type FakeNodes, kwokConfig, kwokFlags, nodesReady } from './nodes.ts';
import { freePort } from './ports.ts';
import { apiServerReady, controllersReady, servingCertificate } from './readiness.ts';

export type ControlPlaneOptions = {
  /**
   * Whether crds/*.yaml are installed, before the controllers start: the garbage collector looks for new kinds of
   * object only every 30 s. Off unless told.
   */
  readonly crds?: boolean;
  /** Installs more definitions at that time. */
  readonly install?: (client: Client) => Promise<void>;
  /** kube-controller-manager: pods of Jobs, garbage collection, service accounts, quotas. On unless told. */
  readonly controllers?: boolean;
  /** kube-scheduler, which places pods on nodes if there are any. Off unless told. */
  readonly scheduler?: boolean;
  /** Nodes `gpu-1`, `gpu-2`…, played by kwok. None unless told; they need the controllers. */
  readonly nodes?: FakeNodes;
  /**
   * Whether kube-controller-manager and kube-scheduler hold back their requests, to 20 and 50 a second. On unless told;
   * off where it is measured how fast something else is.
   */
  readonly clientLimits?: boolean;
  /** Flags of kube-apiserver beside the harness's own, such as `--disable-admission-plugins=PodSecurity`. */
  readonly apiServerFlags?: readonly string[];
  /** Flags of kube-controller-manager beside the harness's own. */
  readonly controllerFlags?: readonly string[];
};

/**
 * A real Kubernetes API of this process's own: etcd, kube-apiserver and, unless told otherwise, kube-controller-manager.
 *
 * It listens on 127.0.0.1 only, keeps everything in a temporary folder, and reads no kubeconfig but the one it
 * writes there. It ends with `stop`, or with the process that started it.
 */
export class ControlPlane {
  readonly client: Client;
  readonly #folder: TemporaryFolder;
  readonly #children: Children;

  constructor(client: Client, folder: TemporaryFolder, children: Children) {
    this.client = client;
    this.#folder = folder;
    this.#children = children;
  }

  /** Plain data that reaches it from another process: `new Client(access)`. */
  get access(): Access {
    return this.client.access;
  }

  /** Ids of its processes. */
  get pids(): readonly number[] {
    return Object.values(this.#children.pids);
  }

  /** Kills the API server and starts it anew on the same port and data: every watch ends without a word. */
  async restartApiServer(between?: () => void | Promise<void>): Promise<void> {
    await this.#children.restart('kube-apiserver', between);
    await apiServerReady(this.client, this.#children);
  }

  /** Keeps a copy of all data, for `restore`. */
  async backUp(): Promise<void> {
    const [data, copy] = [this.#folder.file('etcd'), this.#folder.file('etcd-backup')];
    await this.#children.restart('etcd', () => cpSync(data, copy, { recursive: true }));
    await apiServerReady(this.client, this.#children);
  }

  /** Has everything be as it was at `backUp`: what happened since has never happened. */
  async restore(): Promise<void> {
    const [data, copy] = [this.#folder.file('etcd'), this.#folder.file('etcd-backup')];
    await this.restartApiServer(() =>
      this.#children.restart('etcd', () => {
        rmSync(data, { recursive: true });
        cpSync(copy, data, { recursive: true });
      }),
    );
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.#children.stop();
    this.#folder.remove();
  }
}

/** @throws Error with the end of the log of the server that did not come up */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { controllers = true, scheduler = false, nodes, clientLimits = true } = options;
  removeAbandonedFolders();
  const folder = new TemporaryFolder();
  const children = new Children(folder);
  try {
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    const tokens = writeTokens(folder);
    writeServiceAccountKey(folder);
    children.start('etcd', etcdFlags(folder, etcdPort, peerPort));
    children.start('kube-apiserver', [
      ...apiServerFlags(folder, { address: '127.0.0.1', port, etcdPort, services: '10.96.0.0/16' }),
      ...nodelessApiServerFlags(controllers),
      ...(options.apiServerFlags ?? []),
    ]);

    const url = `https://127.0.0.1:${port}`;
    const ca = await servingCertificate(folder, children);
    const kubeconfig = folder.write('kubeconfig', kubeconfigText(url, ca, tokens.admin));
    const client = new Client({ url, ca, kubeconfig, tokens, controllers });
    await apiServerReady(client, children);
    if (options.crds) await client.applyCrds();
    await options.install?.(client);
    if (controllers) {
      children.start('kube-controller-manager', [
        ...controllerFlags(folder, kubeconfig, clientLimits),
        ...patientControllerFlags,
        ...(options.controllerFlags ?? []),
      ]);
    }
    if (scheduler) children.start('kube-scheduler', schedulerFlags(kubeconfig, clientLimits));
    if (controllers) await controllersReady(client, children);
    if (nodes) {
      await createNodes(client, nodes);
      children.start('kwok', kwokFlags(kubeconfig, folder.write('kwok.yaml', kwokConfig(nodes))));
      await nodesReady(client, () => children.check());
    }
    return new ControlPlane(client, folder, children);
  } catch (error) {
    await children.stop();
    folder.remove();
    throw error;
  }
}

function writeTokens(folder: TemporaryFolder): Access['tokens'] {
  const tokens = { admin: newToken(), user: newToken() };
  folder.write('tokens.csv', `${tokens.admin},admin,admin,system:masters\n${tokens.user},user,user\n`);
  return tokens;
}
