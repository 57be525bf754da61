import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A process, told apart from later ones that get the same number. */
export const processIdentity = z.strictObject({
  pid: z.int().min(1),
  /** Start in clock ticks since boot; only known on Linux. */
  startTicks: z.int().min(0).optional(),
});

export type ProcessIdentity = z.output<typeof processIdentity>;

/** The identity of a process that runs now. */
export function identityOf(pid: number): ProcessIdentity {
  const startTicks = readStat(pid)?.startTicks;
  return { pid, ...(startTicks === undefined ? {} : { startTicks }) };
}

/** Whether that very process still runs. */
export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // The process of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const stat = readStat(pid);
  if (stat === undefined) return true;
  if (stat.state === 'Z') return false;
  return startTicks === undefined || stat.startTicks === startTicks;
}

/** Fields 3 and 22 of /proc/PID/stat (proc(5)); the second, the command's name, may hold spaces and brackets. */
function readStat(pid: number): { state: string; startTicks: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTicks: Number(fields[19]) };
}
