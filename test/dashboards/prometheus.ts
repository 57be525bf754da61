import type { Child } from '../cluster/child.ts';
import { TemporaryFolder } from '../cluster/folder.ts';
import { type PrometheusServer, servePrometheus } from '../cluster/prometheus-server.ts';
import { selectorOf } from './exposition.ts';
import { goldenHour } from './golden.ts';
import { prometheusTool, promtool } from './promtool.ts';
import { type Course, valuesOf } from './series.ts';

/** The golden hour, in seconds. */
export const hour = { start: 1_764_000_000, end: 1_764_003_600, step: 15 } as const;

/** A real Prometheus that has scraped the golden hour. */
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
    const { url, server } = await serve(folder, data);
    return new GoldenPrometheus(url, folder, server);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#folder.remove();
  }
}

function serve(folder: TemporaryFolder, data: string): Promise<PrometheusServer> {
  return servePrometheus(prometheusTool('prometheus'), folder, {
    configuration: 'global: {}\n',
    data,
    // The hour is long ago.
    flags: ['--storage.tsdb.retention.time=100y'],
  });
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
