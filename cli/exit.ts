import { DestillError } from '@destillml/core/errors.ts';
import { diskError } from '@destillml/trainer/storage/disk.ts';
import { CommanderError } from 'commander';

/** What the shell sees. */
export const exitCodes = {
  succeeded: 0,
  /** Something failed. */
  failed: 1,
  /** The command line or a spec is wrong. */
  usage: 2,
  /** Stopped by Ctrl-C or SIGTERM; the same command goes on. */
  interrupted: 130,
} as const;

/** A command that has said all there is to say ends with this code. */
export class ExitError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** How a command that threw ends: its exit code, and what is left to say. */
export function endingOf(error: unknown): { readonly exitCode: number; readonly message?: string } {
  if (error instanceof ExitError) return { exitCode: error.exitCode };
  if (error instanceof CommanderError) {
    // Commander has printed its message; asking for help is no mistake.
    return { exitCode: error.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage };
  }
  const mendable = error instanceof DestillError ? error : diskError(error);
  if (mendable !== undefined) {
    const exitCode = mendable.code === 'InvalidSpec' ? exitCodes.usage : exitCodes.failed;
    return { exitCode, message: `error: ${mendable.message}` };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: exitCodes.failed, message: `unexpected error, please report it: ${text}` };
}
