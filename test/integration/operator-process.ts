import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import packageFile from '../../operator/package.json' with { type: 'json' };
import { waitFor } from '../cluster/wait.ts';
import { type Asking, asking } from '../operator/server/asking.ts';
import { temporaryFolder } from './tokens.ts';

const program = join(import.meta.dirname, '../../operator', packageFile.bin['destill-operator']);

export type Line = {
  readonly level: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly msg: string;
  readonly [field: string]: unknown;
};

export type Ended = {
  /** Null if a signal killed it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** `destill-operator` as a process of its own, outside of the cluster. It ends with the test at the latest. */
export class OperatorProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #text = { stdout: '', stderr: '' };

  /** @param env beside the path; it has an empty home of its own */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [program, ...args], {
      env: { PATH: process.env.PATH, HOME: temporaryFolder(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this.#text[name] += text;
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => resolve({ code, ...this.#text }));
    });
    onTestFinished(async () => {
      this.kill('SIGKILL');
      await this.ended;
    });
  }

  /** What it logged so far. */
  get lines(): readonly Line[] {
    const whole = this.#text.stdout.split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line));
  }

  /** Asks its server, once that listens. @param certificate which it shows */
  async asking(certificate: string): Promise<Asking> {
    const { port, healthPort } = await this.says('listening');
    return asking({ port: Number(port), healthPort: Number(healthPort), certificate });
  }

  kill(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Resolves once it has printed this on stderr. */
  warns(text: string): Promise<true> {
    return waitFor(`the operator to print "${text}"`, () => this.#text.stderr.includes(text) || undefined);
  }

  /** The line that says this, once it is logged. */
  says(message: string): Promise<Line> {
    return waitFor(
      `the operator to say "${message}"`,
      () => {
        const said = this.lines.find(({ msg }) => msg === message);
        if (said !== undefined || this.#child.exitCode === null) return said;
        throw new Error(`it ended without a word of "${message}": ${JSON.stringify(this.#text)}`);
      },
      60_000,
    );
  }
}
