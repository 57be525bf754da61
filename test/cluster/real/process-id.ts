import { readdirSync, readFileSync } from 'node:fs';

/** A process, told from a later one with the same id by when it started. */
export type ProcessId = {
  readonly pid: number;
  /** Which boot of the machine, and how many clock ticks after it. */
  readonly started: string;
};

/** `undefined` if there is no such process, or it has ended and its parent has not taken note of it yet. */
export function processId(pid: number): ProcessId | undefined {
  const fields = statusFields(pid);
  if (fields === undefined || fields[0] === 'Z') return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { pid, started: `${boot} ${fields[19]}` };
}

export function isAlive({ pid, started }: ProcessId): boolean {
  return processId(pid)?.started === started;
}

/** Kills it at once, unless it has ended. */
export function kill(process_: ProcessId): void {
  if (isAlive(process_)) process.kill(process_.pid, 'SIGKILL');
}

/** Ids of the processes that it started and that are still there. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((other) => Number.isInteger(other) && Number(statusFields(other)?.[1]) === pid);
}

/** What /proc/PID/stat says after the name: [0] is the state, [1] the parent, [19] the ticks of the start. */
function statusFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
