import { machineryMetrics } from '@destillml/core/metrics/machinery.ts';
import { clientOptions } from '@destillml/core/metrics/metric.ts';
import { Counter, type Registry } from 'prom-client';
import type { WriteResult } from './progress-writer.ts';

const results: readonly WriteResult[] = ['success', 'error', 'coalesced', 'dropped'];

/** What becomes of the trainers' reports. Registered once in each registry. */
export class ServerMetrics {
  readonly #requests: Counter<'code'>;
  readonly #writes: Counter<'result'>;

  constructor(registry: Registry) {
    this.#requests = new Counter(clientOptions(machineryMetrics.progressRequests, registry));
    this.#writes = new Counter(clientOptions(machineryMetrics.progressWrites, registry));
    for (const result of results) this.#writes.inc({ result }, 0);
  }

  answered(status: number): void {
    this.#requests.inc({ code: String(status) });
  }

  written(result: WriteResult): void {
    this.#writes.inc({ result });
  }
}
