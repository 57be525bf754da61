import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { startMetrics } from '@destillml/trainer/metrics/metrics-thread.ts';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../cluster/ports.ts';
import { waitFor } from '../../cluster/wait.ts';
import { epoch } from '../reporting/reports.ts';

const place = { namespace: 'lab', experiment: 'study', run: 'study-run' };
const labels = 'namespace="lab",experiment="study",run="study-run"';
const goOn = new AbortController().signal;

function captured() {
  const lines: string[] = [];
  return { lines, log: pino({ base: null }, { write: (line) => void lines.push(line) }) };
}

async function serving() {
  const port = await freePort();
  const { lines, log } = captured();
  const metrics = startMetrics({ DESTILL_METRICS_PORT: String(port) }, place, log);
  if (metrics === undefined) throw new Error(lines.join(''));
  const stop = new AbortController();
  stop.abort();
  onTestFinished(() => metrics.close(stop.signal));
  const address = `http://127.0.0.1:${port}/metrics`;
  return { metrics, port, address, lines };
}

/** Once it is served. */
async function scrape(address: string): Promise<string> {
  const answer = await waitFor('the metrics', () => fetch(address).catch(() => undefined));
  expect(answer.status).toBe(200);
  return await answer.text();
}

describe('the metrics of a trainer', () => {
  test('are served to Prometheus, with those of its process, and nothing else is', async () => {
    const { metrics, address } = await serving();
    metrics.observe(epoch(30));
    const text = await scrape(address);
    expect(text).toContain(`destillml_trainer_accuracy{${labels},split="validation"} 0.3\n`);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).not.toContain('nodejs_');
    expect((await fetch(address)).headers.get('content-type')).toBe(
      'text/plain; version=0.0.4; charset=utf-8',
    );
    expect((await fetch(address, { method: 'POST' })).status).toBe(405);
    expect((await fetch(new URL('/', address))).status).toBe(404);
  });

  test('are served while a training step blocks its thread', async () => {
    const { address } = await serving();
    await scrape(address);
    const shared = new Int32Array(new SharedArrayBuffer(4));
    // Prometheus, in a thread of its own, as this one is going to be blocked.
    const code = `
      const { workerData: { address, shared } } = require('node:worker_threads');
      fetch(address).then((answer) => {
        Atomics.store(shared, 0, answer.status);
        Atomics.notify(shared, 0);
      });`;
    const thread = new Worker(code, { eval: true, workerData: { address, shared } });
    onTestFinished(async () => void (await thread.terminate()));
    expect(Atomics.wait(shared, 0, 0, 30_000)).not.toBe('timed-out');
    expect(shared[0]).toBe(200);
  });

  test('stay until Prometheus, which has looked before, has seen the end', async () => {
    const { metrics, address } = await serving();
    await scrape(address);
    metrics.observe(epoch(50));
    const closed = metrics.close(goOn);
    const last = await fetch(address);
    expect(await last.text()).toContain(`destillml_trainer_accuracy{${labels},split="validation"} 0.5\n`);
    await closed;
    await expect(fetch(address)).rejects.toThrow('fetch failed');
  });

  test('end at once where nobody has looked', async () => {
    const { metrics, address } = await serving();
    await metrics.close(goOn);
    await expect(fetch(address)).rejects.toThrow('fetch failed');
  });

  test('end at once when the trainer is told to stop', async () => {
    const { metrics, address } = await serving();
    await scrape(address);
    const stop = new AbortController();
    const closed = metrics.close(stop.signal);
    stop.abort();
    await closed;
    await expect(fetch(address)).rejects.toThrow('fetch failed');
  });

  test('are not served where nobody asked for it', () => {
    expect(startMetrics({}, place, captured().log)).toBeUndefined();
    expect(startMetrics({ DESTILL_METRICS_PORT: '' }, place, captured().log)).toBeUndefined();
  });

  test.each(['nonsense', '0', '65536', '80.5'])('are not served at port %s, and it is said why', (port) => {
    const { lines, log } = captured();
    expect(startMetrics({ DESTILL_METRICS_PORT: port }, place, log)).toBeUndefined();
    expect(lines.join('')).toContain(
      `Metrics are not served: DESTILL_METRICS_PORT is \\"${port}\\", not a port.`,
    );
  });

  test('that cannot be served, as the port is taken, harm nothing', async () => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, resolve));
    onTestFinished(() => void other.close());
    const { lines, log } = captured();
    const metrics = startMetrics({ DESTILL_METRICS_PORT: String(port) }, place, log);
    for (let number = 1; number < 1000; number++) metrics?.observe(epoch(number));
    await waitFor('the complaint', () => lines.find((line) => line.includes('EADDRINUSE')));
    expect(lines.join('')).toContain('Metrics are not served any more.');
    await metrics?.close(goOn);
  });
});
