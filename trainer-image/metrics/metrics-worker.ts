/** Runs in a thread of its own: a training step blocks the main one for longer than Prometheus waits for an answer. */
import { parentPort, workerData } from 'node:worker_threads';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { MetricsServer } from './metrics-server.ts';
import type { MetricsMessage, MetricsWorkerData } from './metrics-thread.ts';
import { TrainerMetrics } from './trainer-metrics.ts';

const { port, place }: MetricsWorkerData = workerData;
const registry = new Registry();
collectDefaultMetrics({ register: registry });
// What Node.js says of its heap and event loop is of this thread, which is not the one that trains.
for (const { name } of registry.getMetricsAsArray()) {
  if (!name.startsWith('process_')) registry.removeSingleMetric(name);
}
const metrics = new TrainerMetrics(registry, place);
const server = MetricsServer.open({
  port,
  metrics: () => registry.metrics(),
  clock: () => performance.now(),
});

parentPort?.on('message', (message: MetricsMessage) => {
  if (message !== 'close') {
    metrics.observe(message);
    return;
  }
  // Nothing is left to wait for then, and the thread ends.
  parentPort?.unref();
  void server.then((opened) => opened.close());
});
// An address that is taken ends the thread with that error.
await server;
