import { createServer, request } from 'node:http';
import { existsSync } from 'node:fs';
import { TemporaryFolder } from './cluster/folder.ts';
import { servePrometheus } from './cluster/prometheus-server.ts';
import { prometheusTool } from './dashboards/promtool.ts';
import { blockSeconds, writeBlock } from './bench/dashboards/blocks.ts';
import { Lab } from './bench/dashboards/lab.ts';
const folder = new TemporaryFolder();
const data = '/work/large-data2';
const start = 1_796_083_200;
if (!existsSync(data)) {
  const lab = new Lab(start, 86400);
  for (let block = start; block < start + 86400; block += blockSeconds) {
    const moments = [];
    for (let time = block; time < block + blockSeconds; time += 600) moments.push({ time, scrapes: await lab.at(time) });
    await writeBlock(moments, { interval: 60, data, folder });
  }
}
const { url } = await servePrometheus(prometheusTool('prometheus'), folder, { configuration: 'global: {}\n', data, flags: ['--storage.tsdb.retention.time=100y'] });
const target = new URL(url);
createServer((req, res) => {
  const up = request({ host: target.hostname, port: target.port, path: req.url, method: req.method, headers: { ...req.headers, host: target.host } }, (r) => { res.writeHead(r.statusCode!, r.headers); r.pipe(res); });
  up.on('error', () => res.end());
  req.pipe(up);
}).listen(Number(process.argv[2] ?? 9392), '127.0.0.1', () => console.log('up', url));
