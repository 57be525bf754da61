import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { binary, Child, tied } from '../cluster/child.ts';
import type { Client } from '../cluster/client.ts';
import { kubeconfigText } from '../cluster/credentials.ts';
import { TemporaryFolder } from '../cluster/folder.ts';
import { freePort } from '../cluster/ports.ts';
import { waitFor } from '../cluster/wait.ts';
import { tokenOf } from '../integration/tokens.ts';
import { examples, monitoring } from './cluster-lab.ts';

const root = join(import.meta.dirname, '../..');
const rules = join(root, 'dashboards/generated/rules.yaml');

/** A series at a moment. */
export type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
};

/**
 * A real Prometheus on this machine, which finds what to scrape by asking the cluster, as examples/monitoring/prometheus.yaml has it;
 * it may do what that file says it has to be allowed, and nothing else.
 */
export class Prometheus {
  /** Such as `http://127.0.0.1:24315`. */
  readonly url: string;
  readonly #folder: TemporaryFolder;
  readonly #server: Child;

  private constructor(port: number, folder: TemporaryFolder) {
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = folder;
    const flags = [
      `--config.file=${folder.file('prometheus.yaml')}`,
      `--storage.tsdb.path=${folder.file('data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    this.#server = new Child(binary('prometheus'), flags, folder.file('log'), tied);
  }

  static async start(client: Client): Promise<Prometheus> {
    await allow(client);
    const folder = new TemporaryFolder();
    folder.write('prometheus.yaml', await configuration(client, folder));
    const prometheus = new Prometheus(await freePort(), folder);
    await waitFor('Prometheus', async () => {
      prometheus.#server.check();
      const answer = await fetch(`${prometheus.url}/-/ready`).catch(() => undefined);
      return answer?.ok || undefined;
    });
    return prometheus;
  }

  /** What an expression is at this moment. @throws Error with what Prometheus says is wrong */
  async query(expression: string): Promise<readonly Sample[]> {
    const answer = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
    const { data, error } = (await answer.json()) as Answer;
    if (data === undefined) throw new Error(`${expression}: ${error}`);
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#folder.remove();
  }
}

type Answer = {
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
};

type Scraped = {
  readonly kubernetes_sd_configs: readonly object[];
  readonly tls_config?: object;
  readonly authorization?: object;
};

/** Of examples/monitoring/prometheus.yaml, for a Prometheus that is not in the cluster itself. */
async function configuration(client: Client, folder: TemporaryFolder): Promise<string> {
  const { namespace, serviceAccount: name } = monitoring;
  const token = await tokenOf(client, { namespace, name });
  const { url, ca } = client.access;
  const kubeconfig_file = folder.write('kubeconfig', kubeconfigText(url, ca, token));
  const credentials_file = folder.write('token', token);
  const secret = await client.send<{ data: Record<string, string> }>(
    'GET',
    '/api/v1/namespaces/destillml-system/secrets/destillml-tls',
  );
  const ca_file = folder.write('ca.crt', Buffer.from(secret.data['ca.crt'] ?? '', 'base64').toString());
  const example: { scrape_configs: readonly Scraped[] } = parse(
    readFileSync(join(examples, 'monitoring/prometheus.yaml'), 'utf8'),
  );
  return stringify({
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    rule_files: [rules],
    scrape_configs: example.scrape_configs.map((job) => ({
      ...job,
      scrape_interval: '5s',
      kubernetes_sd_configs: job.kubernetes_sd_configs.map((each) => ({ ...each, kubeconfig_file })),
      ...(job.tls_config ? { tls_config: { ...job.tls_config, ca_file } } : {}),
      ...(job.authorization ? { authorization: { credentials_file } } : {}),
    })),
  });
}

/** What examples/monitoring/prometheus.yaml says that it has to be allowed. The chart lets it read the operator's metrics. */
async function allow(client: Client): Promise<void> {
  const { namespace, serviceAccount: name } = monitoring;
  const verbs = ['get', 'list', 'watch'];
  const role = 'prometheus-discovery';
  const objects: readonly (readonly [string, object])[] = [
    ['/api/v1/namespaces', { metadata: { name: namespace } }],
    [`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } }],
    [
      '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      {
        metadata: { name: role },
        rules: [
          { apiGroups: [''], resources: ['pods', 'services'], verbs },
          { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
        ],
      },
    ],
    [
      '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      {
        metadata: { name: role },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    ],
  ];
  for (const [path, object] of objects) {
    const { status } = await client.request('POST', path, object);
    if (status !== 201 && status !== 409) throw new Error(`${path} answered ${status}`);
  }
}
