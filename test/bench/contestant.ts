import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** A program that trains some steps whenever it is asked to, and stays idle in between. */
export interface Contestant {
  readonly name: string;
  /** Trains for `steps` steps; images a second. */
  run(steps: number): Promise<number>;
  /** Resident memory in bytes. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a program and waits until it is warm.
 *
 * It prints `ready`, then answers each line `run N` with `SECONDS IMAGES` and `memory` with bytes.
 */
export async function startContestant(
  name: string,
  command: string,
  args: readonly string[],
): Promise<Contestant> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '2', TF_ENABLE_ONEDNN_OPTS: '1', TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  const lines = createInterface({ input: child.stdout });
  const first = await nextLine(name, child, lines);
  if (first !== 'ready') throw new Error(`${name} said "${first}" instead of "ready"`);
  const ask = async (line: string) => {
    const answer = nextLine(name, child, lines);
    child.stdin.write(`${line}\n`);
    return (await answer).split(' ').map(Number);
  };
  return {
    name,
    async run(steps) {
      const [seconds = Number.NaN, images = Number.NaN] = await ask(`run ${steps}`);
      return images / seconds;
    },
    async memory() {
      const [bytes = Number.NaN] = await ask('memory');
      return bytes;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await ended;
    },
  };
}

function nextLine(name: string, child: ChildProcess, lines: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${name} ended with code ${code}`));
    child.once('exit', ended);
    lines.once('line', (line) => {
      child.off('exit', ended);
      resolve(line);
    });
  });
}
