import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { binary } from '../cluster/child.ts';
import type { Access } from '../cluster/client.ts';
import { toolEnvironment } from '../cluster/real/tools.ts';

/** What `kubectl get --watch` prints: every state of every object, in the order in which they came to be. */
export class Watch {
  readonly #process: ChildProcess;
  /** A line's columns; `<none>` where there is nothing. */
  readonly lines: (readonly string[])[] = [];

  private constructor(process: ChildProcess) {
    this.#process = process;
    createInterface({ input: process.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.lines.push(line.trim().split(/ +/)),
    );
  }

  /** @param columns fields of the objects, such as `metadata.name`; in each line they follow `ADDED` and the like */
  static async start(access: Access, command: readonly string[], columns: readonly string[]): Promise<Watch> {
    const fields = ['type', ...columns.map((column) => `object.${column}`)];
    const table = fields.map((field, index) => `${index}:.${field}`).join(',');
    const output = ['--watch', '--output-watch-events', `--output=custom-columns=${table}`];
    const child = spawn(binary('kubectl'), [...command, ...output], {
      env: toolEnvironment(access),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const watch = new Watch(child);
    await once(child, 'spawn');
    return watch;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill();
    await exit;
  }
}
