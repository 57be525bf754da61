import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { Children } from './children.ts';
import type { Client } from './client.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { Folder, TemporaryFolder } from './folder.ts';
import { freePort } from './ports.ts';
import { waitFor } from './wait.ts';

/** Of Kueue's release, as test/cluster/build.sh copied them. */
const manifests = join(import.meta.dirname, '../../.tools/cluster/kueue.manifests');
const namespace = 'kueue-system';
/** The name of the Service in a cluster, by which Kueue also finds its webhook configurations. */
const service = 'kueue-webhook-service';
/** Definitions that Kueue serves in two versions, and converts itself. */
const converted = ['clusterqueues', 'cohorts', 'localqueues', 'multikueueclusters', 'workloads'];
/** What it is asked to admit here: its own objects, and Jobs. */
const admitted = ['kueue.x-k8s.io', 'batch'];

/** What is different from Kueue's defaults, such as `{ manageJobsWithoutQueueName: true }`. */
export type KueueConfig = Readonly<Record<string, unknown>>;

/**
 * A real Kueue: its own manager as a process of this machine, its definitions and webhooks in a control plane.
 *
 * It listens on 127.0.0.1 only, and ends with `stop` or with the process that started it.
 */
export class KueueServer {
  readonly #client: Client;
  readonly #folder: TemporaryFolder;
  readonly #children: Children;
  readonly #ports: Ports;

  private constructor(client: Client, folder: TemporaryFolder, ports: Ports) {
    this.#client = client;
    this.#folder = folder;
    this.#children = new Children(folder);
    this.#ports = ports;
  }

  /** Its definitions and webhooks, which do not answer until it runs. */
  static async install(client: Client): Promise<KueueServer> {
    const ports = { webhook: await freePort(), health: await freePort() };
    const server = new KueueServer(client, new TemporaryFolder(), ports);
    await server.#install();
    return server;
  }

  /** Resolves once it admits Jobs. @throws Error with the end of its log, if it did not come up */
  async start(config: KueueConfig = {}): Promise<void> {
    const { webhook, health } = this.#ports;
    const own = {
      apiVersion: 'config.kueue.x-k8s.io/v1beta2',
      kind: 'Configuration',
      namespace,
      health: { healthProbeBindAddress: `127.0.0.1:${health}` },
      metrics: { bindAddress: '0' },
      webhook: { host: '127.0.0.1', port: webhook, certDir: this.#folder.file('webhook') },
      leaderElection: { leaderElect: false },
      integrations: { frameworks: ['batch/job'] },
      clientConnection: { qps: 500, burst: 1000 },
      // It serves an API of its own, which takes more of a cluster than this one has.
      featureGates: { VisibilityOnDemand: false },
      ...config,
    };
    this.#children.start('kueue', [
      `--config=${this.#folder.write('kueue.yaml', JSON.stringify(own))}`,
      `--kubeconfig=${this.#client.access.kubeconfig}`,
    ]);
    await waitFor('Kueue', async () => {
      this.#children.check();
      const answer = await fetch(`http://127.0.0.1:${health}/readyz`).catch(() => undefined);
      return (answer?.ok === true && (await this.#answers())) || undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#children.stop();
    this.#folder.remove();
  }

  /** As its users take it away: manager, webhooks and definitions, and with these every object of its kinds. */
  async uninstall(): Promise<void> {
    await this.#children.stop();
    for (const kind of ['mutating', 'validating']) {
      await this.#client.send('DELETE', `${webhookPath(kind)}/kueue-${kind}-webhook-configuration`);
    }
    await Promise.all(definitionNames().map((name) => this.#removeDefinition(name)));
  }

  async #install(): Promise<void> {
    const pair = await certificate(['kueue-ca', `${service}.${namespace}.svc`, '127.0.0.1']);
    new Folder(this.#folder.file('webhook'));
    this.#folder.write('webhook/tls.crt', pair.cert);
    this.#folder.write('webhook/tls.key', pair.key);
    const clientConfig = (route: string) => ({
      url: `https://127.0.0.1:${this.#ports.webhook}${route}`,
      caBundle: base64(pair.cert),
    });
    await this.#apply('/api/v1', 'namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    // Kueue makes a certificate of its own for the name of its Service unless it finds one that is good.
    await this.#apply(`/api/v1/namespaces/${namespace}`, 'secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'kueue-webhook-server-cert' },
      data: {
        'ca.crt': base64(pair.cert),
        'ca.key': base64(pair.key),
        'tls.crt': base64(pair.cert),
        'tls.key': base64(pair.key),
      },
    });
    await Promise.all(definitionNames().map((name) => this.#define(name, clientConfig('/convert'))));
    for (const configuration of webhookConfigurations(clientConfig)) {
      await this.#apply(
        '/apis/admissionregistration.k8s.io/v1',
        `${configuration.kind.toLowerCase()}s`,
        configuration,
      );
    }
  }

  async #define(name: string, clientConfig: object): Promise<void> {
    const plural = name.split('.')[0] ?? '';
    const text = readFileSync(join(manifests, `kueue.x-k8s.io_${plural}.yaml`), 'utf8');
    const conversion = {
      strategy: 'Webhook',
      webhook: { clientConfig, conversionReviewVersions: ['v1'] },
    };
    const own = converted.includes(plural)
      ? `spec:\n  conversion: ${JSON.stringify(conversion)}\n`
      : 'spec:\n';
    await this.#client.send(
      'PATCH',
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}?fieldManager=test&force=true`,
      text.replace(/^spec:\n/m, own),
      { contentType: 'application/apply-patch+yaml' },
    );
    await waitFor(`${plural} to be served`, async () => {
      const { status } = await this.#client.request('GET', `/apis/kueue.x-k8s.io/v1beta2/${plural}?limit=1`);
      return status === 200 || undefined;
    });
  }

  async #removeDefinition(name: string): Promise<void> {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    const plural = name.split('.')[0] ?? '';
    // Its manager, which would take its finalizers off, is gone.
    const objects = `/apis/kueue.x-k8s.io/v1beta2/${plural}`;
    const { items } = await this.#client.send<{ items: readonly Finalized[] }>('GET', objects);
    for (const { metadata } of items) {
      const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
      await this.#client.send(
        'PATCH',
        `/apis/kueue.x-k8s.io/v1beta2${scope}/${plural}/${metadata.name}`,
        { metadata: { finalizers: null } },
        { contentType: 'application/merge-patch+json' },
      );
    }
    await this.#client.send('DELETE', path);
    await waitFor(
      `${name} to go`,
      async () => (await this.#client.request('GET', path)).status === 404 || undefined,
    );
  }

  /** Whether the API server reaches its webhooks: a Job that is only tried. */
  async #answers(): Promise<boolean> {
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'none', image: 'none' }] } };
    const { status } = await this.#client.request(
      'POST',
      '/apis/batch/v1/namespaces/default/jobs?dryRun=All',
      { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'tried' }, spec: { template } },
    );
    return status === 201;
  }

  #apply(path: string, plural: string, object: Named): Promise<unknown> {
    return this.#client.send(
      'PATCH',
      `${path}/${plural}/${object.metadata.name}?fieldManager=test&force=true`,
      JSON.stringify(object),
      { contentType: 'application/apply-patch+yaml' },
    );
  }
}

/** A control plane with the CRDs and a Kueue. The garbage collector knows Kueue's objects from the start. */
export async function startWithKueue(config: KueueConfig = {}): Promise<ClusterWithKueue> {
  let installed: KueueServer | undefined;
  const install = async (client: Client) => {
    installed = await KueueServer.install(client);
  };
  const controlPlane = await startControlPlane({ crds: true, install });
  const kueue = installed;
  if (kueue === undefined) throw new Error('Kueue was not installed');
  const stop = async () => {
    await kueue.stop();
    await controlPlane.stop();
  };
  try {
    await kueue.start(config);
  } catch (error) {
    await stop();
    throw error;
  }
  return { controlPlane, kueue, stop };
}

export type ClusterWithKueue = {
  readonly controlPlane: ControlPlane;
  readonly kueue: KueueServer;
  readonly stop: () => Promise<void>;
};

type Named = {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: object;
};

type Ports = { readonly webhook: number; readonly health: number };
type Finalized = { readonly metadata: { readonly name: string; readonly namespace?: string } };

function definitionNames(): readonly string[] {
  return readdirSync(manifests).flatMap((file) => {
    const plural = /^kueue\.x-k8s\.io_(.+)\.yaml$/.exec(file)?.[1];
    return plural === undefined ? [] : [`${plural}.kueue.x-k8s.io`];
  });
}

type WebhookConfiguration = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks: readonly {
    readonly clientConfig: { readonly service: { readonly path: string } };
    readonly rules: readonly { readonly apiGroups: readonly string[] }[];
  }[];
};

function webhookConfigurations(clientConfig: (route: string) => object) {
  const text = readFileSync(join(manifests, 'manifests.yaml'), 'utf8');
  return parseAllDocuments(text).map((document) => {
    const { metadata, webhooks, ...rest } = document.toJS() as WebhookConfiguration;
    return {
      ...rest,
      metadata: { name: `kueue-${metadata.name}` },
      webhooks: webhooks
        .filter(({ rules }) => rules.some(({ apiGroups }) => apiGroups.some((one) => admitted.includes(one))))
        .map((webhook) => ({ ...webhook, clientConfig: clientConfig(webhook.clientConfig.service.path) })),
    };
  });
}

function webhookPath(kind: string): string {
  return `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Its own authority, with an RSA key as Kueue reads it. */
async function certificate(
  hosts: readonly string[],
): Promise<{ readonly cert: string; readonly key: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const day = 24 * 60 * 60 * 1000;
  const issued = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `00${randomBytes(16).toString('hex')}`,
    name: 'CN=kueue',
    notBefore: new Date(Date.now() - day),
    // Kueue renews what ends within 90 days.
    notAfter: new Date(Date.now() + 365 * day),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' : 'dns', value })),
      ),
    ],
  });
  return {
    cert: `${issued.toString('pem')}\n`,
    key: KeyObject.from(keys.privateKey).export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
}
