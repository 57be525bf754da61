/** Real trainer processes for tests. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { type Report, report, termination } from '@destillml/core/protocol/report.ts';
import { temporaryFolder } from './training/run.ts';

const main = fileURLToPath(import.meta.resolve('@destillml/trainer/main.ts'));

export interface TrainerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Starts it: a program that takes a command behind its own arguments. */
  readonly under?: readonly [program: string, ...args: string[]];
  /** Told of every report; may end the process. */
  readonly onReport?: (report: Report, trainer: ChildProcess) => void;
  /** Told of all that it has logged, each time there is more. */
  readonly onLog?: (text: string, trainer: ChildProcess) => void;
}

/** Runs a trainer to its end. */
export async function runTrainer(assignment: string | Assignment, options: TrainerOptions = {}) {
  const log = options.env?.DESTILL_TERMINATION_LOG ?? join(temporaryFolder(), 'termination.json');
  const [program = process.execPath, ...before] = options.under ?? [];
  const child = fork(main, [], {
    execPath: program,
    execArgv: options.under === undefined ? [] : [...before, process.execPath],
    env: {
      ...process.env,
      DESTILL_ASSIGNMENT: typeof assignment === 'string' ? assignment : JSON.stringify(assignment),
      DESTILL_TERMINATION_LOG: log,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const reports: Report[] = [];
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors += text.toString();
    options.onLog?.(errors, child);
  });
  child.on('message', (message) => {
    const parsed = report.parse(message);
    reports.push(parsed);
    options.onReport?.(parsed, child);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const word = existsSync(log) ? readFileSync(log, 'utf8') : '';
  const last = word === '' ? undefined : termination.parse(JSON.parse(word));
  return { code, last, reports, errors };
}
