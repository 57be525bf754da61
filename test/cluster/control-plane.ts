import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { binary, Child } from './child.ts';
import { type Access, Client } from './client.ts';
import { apiServerFlags, controllerFlags, etcdFlags, schedulerFlags } from './flags.ts';
import { Folder, removeAbandonedFolders } from './folder.ts';
import { createNodes, type FakeNodes, kwokConfig, kwokFlags, nodesReady } from './nodes.ts';
import { freePort } from './ports.ts';
import { waitFor } from './wait.ts';

export type ControlPlaneOptions = {
  /**
   * Whether crds/*.yaml are installed, before the controllers start: the garbage collector looks for new kinds of
   * object only every 30 s. Off unless told.
   */
  readonly crds?: boolean;
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
  readonly #folder: Folder;
  readonly #children: Children;

  constructor(client: Client, folder: Folder, children: Children) {
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
    return this.#children.pids;
  }

  /** Kills the API server and starts it anew on the same port and data: every watch ends without a word. */
  async restartApiServer(): Promise<void> {
    await this.#children.restart('kube-apiserver');
    await ready(this.client, this.#children);
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
  const folder = new Folder();
  const children = new Children(folder);
  try {
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    const tokens = writeTokens(folder);
    writeServiceAccountKey(folder);
    children.start('etcd', etcdFlags(folder, etcdPort, peerPort));
    children.start('kube-apiserver', [
      ...apiServerFlags(folder, port, etcdPort, controllers),
      ...(options.apiServerFlags ?? []),
    ]);

    const url = `https://127.0.0.1:${port}`;
    const ca = await certificate(folder, children);
    const kubeconfig = folder.write('kubeconfig', kubeconfigText(url, ca, tokens.admin));
    const client = new Client({ url, ca, kubeconfig, tokens, controllers });
    await ready(client, children);
    if (options.crds) await client.applyCrds();
    if (controllers) {
      children.start('kube-controller-manager', [
        ...controllerFlags(folder, kubeconfig, clientLimits),
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

/** Servers of one control plane, by the names of their binaries. */
class Children {
  readonly #folder: Folder;
  readonly #children = new Map<string, { readonly child: Child; readonly flags: readonly string[] }>();

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  get pids(): number[] {
    return [...this.#children.values()].flatMap(({ child }) => child.pid ?? []);
  }

  start(name: string, flags: readonly string[]): void {
    const child = new Child(binary(name), flags, this.#folder.file(`${name}.log`));
    this.#children.set(name, { child, flags });
  }

  async restart(name: string): Promise<void> {
    const old = this.#children.get(name);
    if (old === undefined) throw new Error(`${name} was never started`);
    await old.child.stop();
    this.start(name, old.flags);
  }

  check(): void {
    for (const { child } of this.#children.values()) child.check();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.values()].map(({ child }) => child.stop()));
  }
}

function writeTokens(folder: Folder): Access['tokens'] {
  const tokens = { admin: randomBytes(24).toString('hex'), user: randomBytes(24).toString('hex') };
  folder.write('tokens.csv', `${tokens.admin},admin,admin,system:masters\n${tokens.user},user,user\n`);
  return tokens;
}

function writeServiceAccountKey(folder: Folder): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  folder.write('service-account.key', privateKey);
  folder.write('service-account.pub', publicKey);
}

/** The certificate that the API server makes for itself when it starts. */
function certificate(folder: Folder, children: Children): Promise<string> {
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

function ready(client: Client, children: Children): Promise<true> {
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

function controllersReady(client: Client, children: Children): Promise<true> {
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

/** JSON is YAML, and needs no quoting of its own. */
function kubeconfigText(server: string, ca: string, token: string): string {
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
