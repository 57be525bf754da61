import { Child } from './child.ts';
import type { Folder } from './folder.ts';
import { freePort } from './ports.ts';
import { waitFor } from './wait.ts';

export type PrometheusServer = {
  /** Such as `http://127.0.0.1:24315`. */
  readonly url: string;
  readonly server: Child;
};

/** Starts a Prometheus, which has its log in the folder. Resolves once it answers. */
export async function servePrometheus(
  program: string,
  folder: Folder,
  { configuration, data, flags = [] }: PrometheusOptions,
): Promise<PrometheusServer> {
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const own = [
    `--config.file=${folder.write('prometheus.yaml', configuration)}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=${address}`,
  ];
  const server = new Child(program, [...own, ...flags], folder.file('log'));
  await waitFor('Prometheus', async () => {
    server.check();
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    return answer?.ok || undefined;
  });
  return { url, server };
}

type PrometheusOptions = {
  /** In YAML. */
  readonly configuration: string;
  /** Folder of its series. */
  readonly data: string;
  readonly flags?: readonly string[];
};
