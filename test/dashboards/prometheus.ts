import { join } from 'node:path';
import { Child } from '../cluster/child.ts';
import { TemporaryFolder } from '../cluster/folder.ts';
import { freePort } from '../cluster/ports.ts';
import { waitFor } from '../cluster/wait.ts';
import { selectorOf } from './exposition.ts';
import { goldenHour } from './golden.ts';
import { prometheusTool, promtool } from './promtool.ts';
import { type Course, valuesOf } from './series.ts';

const rules = join(import.meta.dirname, '../../dashboards/generated/rules.yaml');

/** The golden hour, in seconds. */
export const hour = { start: 1_764_000_000, end: 1_764_003_600, step: 15 } as const;

/** A real Prometheus that has scraped the golden hour, and evaluated the recording rules over it. */
export class GoldenPrometheus {
  readonly url: string;
  readonly #folder: TemporaryFolder;
  readonly #server: Child;

  private constructor(url: string, folder: TemporaryFolder, server: Child) {
    this.url = url;
    this.#folder = folder;
    this.#server = server;
  }

  static async start(): Promise<GoldenPrometheus> {
    const folder = new TemporaryFolder();
    const data = folder.file('data');
    const samples = folder.write('samples.txt', openMetrics(goldenHour()));
    await promtool('tsdb', 'create-blocks-from', 'openmetrics', samples, data);
    // The rules are evaluated by asking a server; what it has of them it only reads as it starts.
    const before = await serve(folder, data);
    const { start, end, step } = hour;
    const times = [`--start=${start}`, `--end=${end}`, `--eval-interval=${step}s`];
    await promtool(
      'tsdb',
      'create-blocks-from',
      'rules',
      ...times,
      `--url=${before.url}`,
      `--output-dir=${data}`,
      rules,
    );
    await before.server.stop();
    const { url, server } = await serve(folder, data);
    return new GoldenPrometheus(url, folder, server);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#folder.remove();
  }
}

async function serve(
  folder: TemporaryFolder,
  data: string,
): Promise<{ readonly url: string; readonly server: Child }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const flags = [
    `--config.file=${folder.write('prometheus.yaml', 'global: {}\n')}`,
    `--storage.tsdb.path=${data}`,
    // The hour is long ago.
    '--storage.tsdb.retention.time=100y',
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const server = new Child(prometheusTool('prometheus'), flags, folder.file('log'));
  await waitFor('Prometheus', async () => {
    server.check();
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    return answer?.ok || undefined;
  });
  return { url, server };
}

/** In the OpenMetrics format, which has a time at each sample. */
function openMetrics(series: readonly Course[]): string {
  const steps = (hour.end - hour.start) / hour.step;
  const families = Map.groupBy(series, ({ sample }) => familyOf(sample));
  const lines = [...families].flatMap(([family, members]) => [
    `# TYPE ${family} ${members[0]?.sample.type}`,
    ...members.flatMap((course) =>
      valuesOf(course, steps).flatMap((value, index) =>
        value === undefined
          ? []
          : [`${selectorOf(course.sample)} ${value} ${hour.start + index * hour.step}`],
      ),
    ),
  ]);
  return `${lines.join('\n')}\n# EOF\n`;
}

function familyOf({ name, type }: Course['sample']): string {
  if (type === 'counter') return name.replace(/_total$/, '');
  return type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
}
