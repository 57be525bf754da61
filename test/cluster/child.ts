import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const binaries = join(import.meta.dirname, '../../.tools/cluster');

/** Path of a binary that test/cluster/build.sh built. */
export function binary(name: string): string {
  const path = join(binaries, name);
  if (!existsSync(path)) throw new Error(`${name} is not built: run test/cluster/build.sh ${name}`);
  return path;
}

/** How a server is started: what its command line follows, and whether it goes on without the process that started it. */
export type Launch = { readonly command: readonly string[]; readonly detached: boolean };

/** The kernel ends the server with this process, even if this one is killed and can do nothing about it. */
export const tied: Launch = { command: ['setpriv', '--pdeathsig', 'KILL'], detached: false };

/** A server that runs until it is stopped; unless launched otherwise, not longer than the process that started it. */
export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #log: string;

  /** @param log file that takes what the server prints, after what is in it already */
  constructor(path: string, flags: readonly string[], log: string, { command, detached } = tied) {
    const output = openSync(log, 'a');
    const [program = path, ...rest] = [...command, path, ...flags];
    this.#process = spawn(program, rest, { detached, stdio: ['ignore', output, output], env: environment() });
    closeSync(output);
    if (detached) this.#process.unref();
    this.#name = basename(path);
    this.#log = log;
    this.#process.once('error', () => undefined);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** @throws Error with the end of its log, if the server is no longer there */
  check(): void {
    if (this.#runs()) return;
    const { exitCode, signalCode } = this.#process;
    const lines = readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(
      `${this.#name} ended (${signalCode ?? exitCode ?? 'not started'}); last in its log:\n${lines}`,
    );
  }

  /** Ends it at once: whatever it holds is thrown away with it. */
  async stop(): Promise<void> {
    if (!this.#runs()) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  #runs(): boolean {
    return this.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }
}

/** Proxies and kubeconfigs of the user are none of a test cluster's business; PATH may lack what only root runs. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
}
