import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endingOf } from '../../cli/exit.ts';
import { createProgram } from '../../cli/program.ts';
import type { Surroundings } from '../../cli/surroundings.ts';
import { wrap } from '../../src/text/wrap.ts';

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a command in this process. It must not train. */
export async function destill(...args: readonly string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const surroundings: Surroundings = {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    terminal: { write: (text) => (stderr += text) },
    env: {},
    now: () => new Date('2026-03-01T12:00:00Z'),
    trainer: {
      start: () => {
        throw new Error('this command must not train');
      },
    },
    onInterrupt: () => () => undefined,
    after: () => () => undefined,
  };
  try {
    await createProgram(surroundings).parseAsync(['node', 'destill', ...args]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { exitCode, message } = endingOf(error);
    return { code: exitCode, stdout, stderr: stderr + (message === undefined ? '' : `${wrap(message)}\n`) };
  }
}

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Runs the real command as a process of its own in a folder; `onText` sees stderr grow, and may end the process. */
export async function destillProcess(
  folder: string,
  args: readonly string[],
  onText: (stderr: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
    onText(stderr, child);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}
