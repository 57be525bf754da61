/**
 * How long the dashboards take to open on a large lab: `make bench-dashboards`. 50 Experiments of 31 Runs and a search of
 * 200 trials over a day, as the exporters of the operator and of the trainers say them, in a real Prometheus; every query
 * that Grafana would send.
 */
import { cpus } from 'node:os';
import { dashboards } from '../../dashboards/all.ts';
import { TemporaryFolder } from '../cluster/folder.ts';
import { servePrometheus } from '../cluster/prometheus-server.ts';
import { prometheusTool } from '../dashboards/promtool.ts';
import { blockSeconds, writeBlock } from './dashboards/blocks.ts';
import { experiments, Lab, runsEach } from './dashboards/lab.ts';
import { open, type Seen } from './dashboards/screen.ts';

const aims = { milliseconds: 3000, series: 30 };
/** Seconds between two scrapes, and between two moments at which the exporters are asked. */
const [interval, asked] = [60, 600];
const day = 86_400;
const start = 1_796_083_200;

const folder = new TemporaryFolder();
try {
  const data = folder.file('data');
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`);
  const began = performance.now();
  const samples = await write(data);
  const took = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `${experiments} Experiments of ${runsEach + 1} Runs and a search over a day: ${(samples / 1e6).toFixed(0)} million samples,`,
  );
  console.log(`one each ${interval} s, written in ${took} s\n`);
  const { url, server } = await servePrometheus(prometheusTool('prometheus'), folder, {
    configuration: 'global: {}\n',
    data,
    flags: ['--storage.tsdb.retention.time=100y'],
  });
  for (const [name, dashboard] of Object.entries(dashboards)) {
    print(name, await open(dashboard.json(), url, start + day - 1));
  }
  await server.stop();
} finally {
  folder.remove();
}

async function write(data: string): Promise<number> {
  const lab = new Lab(start, day);
  let samples = 0;
  for (let block = start; block < start + day; block += blockSeconds) {
    const moments = [];
    for (let time = block; time < block + blockSeconds; time += asked) {
      moments.push({ time, scrapes: await lab.at(time) });
    }
    samples += await writeBlock(moments, { interval, data, folder });
  }
  return samples;
}

function print(name: string, { choices, first, all, bytes, queries }: Seen): void {
  const most = queries.filter(({ isCurve }) => isCurve).toSorted((a, b) => b.series - a.series)[0];
  console.log(name);
  line('choices', `${choices.toFixed(0)} ms`);
  line('first screen', `${first.toFixed(0)} ms`, `aim ≤ ${aims.milliseconds} ms`);
  line(
    'all panels',
    `${all.toFixed(0)} ms`,
    `${queries.length} queries, ${(bytes / 2 ** 20).toFixed(1)} MiB`,
  );
  line(
    'most series',
    `${most?.series ?? 0}`,
    `of ${most?.panel}; aim ≤ ${aims.series} unless more is chosen`,
  );
  for (const { panel, milliseconds, bytes: size, series } of queries
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, 5)) {
    line(
      '  slow',
      `${milliseconds.toFixed(0)} ms`,
      `${panel}: ${(size / 1024).toFixed(0)} KiB, ${series} series`,
    );
  }
}

function line(name: string, value: string, more = ''): void {
  console.log(`  ${name.padEnd(14)}${value.padStart(10)}  ${more}`);
}
