import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { type Report, report, type Termination, termination } from '@destillml/core/protocol/report.ts';
import { makeFolder, writingSync } from '@destillml/trainer/storage/disk.ts';
import { identityOf } from '../store/process-identity.ts';
import { runFiles } from '../store/run-folder.ts';
import type { Exit } from './transitions.ts';

export type TrainerListener = {
  readonly onReport: (report: Report) => void;
  /** Called once; nothing is reported after it. */
  readonly onExit: (exit: Exit) => void;
};

/** A trainer at work. */
export interface TrainerProcess {
  /** Asks it to write a checkpoint and end. */
  stop(): void;
  /** Ends it at once. Checkpoints are atomic: only the work since the last is lost. */
  kill(): void;
}

/** Starts trainers. */
export interface Trainer {
  /**
   * @param folder of the Run, where log and last word go
   * @param sharing how many trainers share the processors of this machine
   */
  start(assignment: Assignment, folder: string, sharing: number, listener: TrainerListener): TrainerProcess;
}

/**
 * Every Run trained by a process of this machine.
 *
 * Reports come over an IPC channel. Should this process die, the channel closes, and the trainer writes a checkpoint
 * and ends.
 */
export function processTrainer(env: Readonly<Record<string, string | undefined>>): Trainer {
  const main = fileURLToPath(import.meta.resolve('@destillml/trainer/main.ts'));
  return {
    start(assignment, folder, sharing, listener) {
      makeFolder(folder);
      const lastWord = join(folder, runFiles.termination);
      rmSync(lastWord, { force: true });
      const logFile = join(folder, runFiles.log);
      const log = writingSync(logFile, () => openSync(logFile, 'a'));
      const child = spawn(process.execPath, [main], {
        env: {
          TF_NUM_INTRAOP_THREADS: String(Math.max(1, Math.floor(availableParallelism() / sharing))),
          ...env,
          DESTILL_ASSIGNMENT: JSON.stringify(assignment),
          DESTILL_TERMINATION_LOG: lastWord,
        },
        stdio: ['ignore', log, log, 'ipc'],
      });
      closeSync(log);
      const pidFile = join(folder, runFiles.process);
      if (child.pid !== undefined) remember(child, child.pid, pidFile);
      listen(child, listener, () => {
        rmSync(pidFile, { force: true });
        return readLastWord(lastWord);
      });
      return {
        stop: () => {
          child.kill('SIGTERM');
        },
        kill: () => {
          child.kill('SIGKILL');
        },
      };
    },
  };
}

/** Another command finds the process by this file. One that cannot be found must not be. */
function remember(child: ChildProcess, pid: number, path: string): void {
  try {
    writingSync(path, () => writeFileSync(path, JSON.stringify(identityOf(pid))));
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(path, { force: true });
    throw error;
  }
}

function listen(child: ChildProcess, listener: TrainerListener, ended: () => Termination | undefined): void {
  child.on('message', (message) => {
    const parsed = report.safeParse(message);
    if (parsed.success) listener.onReport(parsed.data);
  });
  let isOver = false;
  const exit = (code: number | null, signal: string | null, last: Termination | undefined) => {
    if (isOver) return;
    isOver = true;
    listener.onExit({ code, signal, termination: last });
  };
  // "close" comes after "exit" and after the last message.
  child.on('close', (code, signal) => exit(code, signal, ended()));
  child.on('error', (error) => {
    // A signal that could not be delivered is no end.
    if (child.pid !== undefined) return;
    exit(null, null, {
      outcome: 'failed',
      code: 'Environment',
      message: `The trainer cannot start: ${error.message}`,
    });
  });
}

function readLastWord(path: string): Termination | undefined {
  try {
    return termination.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
