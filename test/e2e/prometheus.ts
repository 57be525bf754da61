import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { binary, type Child } from '../cluster/child.ts';
import type { Client } from '../cluster/client.ts';
import { kubeconfigText } from '../cluster/credentials.ts';
import { TemporaryFolder } from '../cluster/folder.ts';
import { type PrometheusServer, servePrometheus } from '../cluster/prometheus-server.ts';
import { Prometheus } from '../dashboards/ask/prometheus-client.ts';
import { tokenOf } from '../integration/tokens.ts';
import { examples, monitoring } from './cluster-lab.ts';

const root = join(import.meta.dirname, '../..');
const rules = join(root, 'dashboards/generated/rules.yaml');

/**
 * A real Prometheus on this machine, which finds what to scrape by asking the cluster, as
 * examples/monitoring/prometheus.yaml has it; it may do what rbac.yaml beside that file allows it, and nothing else. The
 * chart lets it read the operator's metrics.
 */
export class ClusterPrometheus extends Prometheus {
  readonly #folder: TemporaryFolder;
  readonly #server: Child;

  private constructor({ url, server }: PrometheusServer, folder: TemporaryFolder) {
    super(url);
    this.#server = server;
    this.#folder = folder;
  }

  static async start(client: Client): Promise<ClusterPrometheus> {
    await client.kubectl('apply', `--filename=${join(examples, 'monitoring/rbac.yaml')}`);
    const folder = new TemporaryFolder();
    const served = await servePrometheus(binary('prometheus'), folder, {
      configuration: await configuration(client, folder),
      data: folder.file('data'),
    });
    return new ClusterPrometheus(served, folder);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#folder.remove();
  }
}

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
