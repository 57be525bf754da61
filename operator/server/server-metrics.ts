import { Counter, type Registry } from 'prom-client';
import type { WriteResult } from './progress-writer.ts';

const results: readonly WriteResult[] = ['success', 'error', 'coalesced', 'dropped'];

/** What becomes of the trainers' reports. Registered once in each registry. */
export class ServerMetrics {
  readonly #requests: Counter<'code'>;
  readonly #writes: Counter<'result'>;

  constructor(registry: Registry) {
    this.#requests = new Counter({
      name: 'destillml_progress_requests_total',
      help: 'Reports of trainers by status of the answer; 499 if the trainer went away before it got one',
      labelNames: ['code'],
      registers: [registry],
    });
    this.#writes = new Counter({
      name: 'destillml_progress_writes_total',
      help: 'Writes of progress to the status of Runs; coalesced reports became part of a later write',
      labelNames: ['result'],
      registers: [registry],
    });
    for (const result of results) this.#writes.inc({ result }, 0);
  }

  answered(status: number): void {
    this.#requests.inc({ code: String(status) });
  }

  written(result: WriteResult): void {
    this.#writes.inc({ result });
  }
}
