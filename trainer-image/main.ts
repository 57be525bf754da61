#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DestillError, type ErrorCode } from '@destillml/core/errors.ts';
import { assignment } from '@destillml/core/protocol/assignment.ts';
import { exitCodes, type Report, type Termination } from '@destillml/core/protocol/report.ts';
import { pino } from 'pino';
import { z } from 'zod';
import { defaultLoadDeps, load } from './data/load.ts';
import { startPush } from './reporting/push-thread.ts';
import { train } from './training/train.ts';

/** Longest termination message Kubernetes keeps, in bytes. */
const terminationBytes = 4096;

const usage = `destill-trainer: trains, distils and evaluates one network.

It is started by the operator (in a pod) or by "destill run" (on a machine), with the environment variables
  DESTILL_ASSIGNMENT       what to do, as JSON (see src/protocol/assignment.ts), or @FILE
  DESTILL_TERMINATION_LOG  file for the last word: the result or the error
  DESTILL_PUSH_URL         https address of the operator to report progress to; without it nobody is told
  DESTILL_PUSH_TOKEN_FILE  file with the token to show there, read again for each report
  DESTILL_PUSH_CA          authority that vouches for the operator, PEM (default: well-known ones)
  DESTILL_CLAIMS           folder in which persistent volume claims with data sets are mounted
  DESTILL_LOG_LEVEL        debug also logs progress inside epochs (default info)

Exit codes: 0 succeeded, 1 failed (try again), 65 data unusable, 70 diverged, 75 stopped with a checkpoint,
78 assignment wrong.
`;

/** Exit code of an error a user can mend; every other error may go away by itself. */
const codes: Partial<Record<ErrorCode, number>> = {
  InvalidSpec: exitCodes.invalid,
  DatasetCorrupt: exitCodes.dataset,
  TrainingDiverged: exitCodes.diverged,
  CheckpointUnusable: exitCodes.invalid,
};

async function main(): Promise<number> {
  const log = pino(
    { base: null, level: process.env.DESTILL_LOG_LEVEL ?? 'info' },
    pino.destination({ dest: 2, sync: true }),
  );
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  // The one who started this process is gone: nobody would see the end.
  process.on('disconnect', () => stop.abort());

  const push = startPush(process.env, log);

  let last: Termination;
  let code: number;
  try {
    const outcome = await train(readAssignment(process.env.DESTILL_ASSIGNMENT), {
      load: (dataset, folder, signal) => load(dataset, folder, { ...defaultLoadDeps, ...claims(), signal }),
      report: (report) => {
        send(report, log);
        push?.report(report);
      },
      clock: () => performance.now(),
      now: () => new Date(),
      signal: stop.signal,
    });
    last = outcome;
    code = outcome.outcome === 'succeeded' ? exitCodes.succeeded : exitCodes.preempted;
  } catch (error) {
    if (stop.signal.aborted && error instanceof Error && error.name === 'AbortError') {
      last = { outcome: 'preempted', epoch: 0, step: 0 };
      code = exitCodes.preempted;
    } else if (error instanceof DestillError) {
      last = { outcome: 'failed', code: error.code, message: shortened(error.message) };
      code = codes[error.code] ?? exitCodes.failed;
      log.error({ code: error.code }, error.message);
    } else {
      last = { outcome: 'failed', code: 'Unexpected', message: shortened(String(error)) };
      code = exitCodes.failed;
      log.error({ err: error }, 'unexpected error');
    }
  }
  writeTermination(last, log);
  await push?.close();
  return code;
}

/** Where the claims that data sets come from are mounted. */
function claims() {
  const folder = process.env.DESTILL_CLAIMS;
  return folder === undefined ? {} : { claimFolder: (claimName: string) => join(folder, claimName) };
}

function readAssignment(text: string | undefined) {
  if (text === undefined) {
    throw new DestillError('InvalidSpec', 'DESTILL_ASSIGNMENT is not set. See destill-trainer --help.');
  }
  let content: unknown;
  try {
    content = JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text);
  } catch (cause) {
    throw new DestillError('InvalidSpec', `DESTILL_ASSIGNMENT is not JSON: ${String(cause)}`, { cause });
  }
  const parsed = assignment.safeParse(content);
  if (!parsed.success) {
    throw new DestillError('InvalidSpec', `DESTILL_ASSIGNMENT is wrong:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** To the process that started this one, or to the log. */
function send(report: Report, log: pino.Logger): void {
  if (process.send !== undefined && process.connected) process.send(report);
  else if (report.kind === 'note') log.info(report.message);
  else if (report.kind === 'epoch') log.info(report.record, report.kind);
  else log.debug(report.progress, report.kind);
}

/** At most 2048 characters that take at most half of a termination message, escaped and as bytes. */
function shortened(message: string): string {
  let kept = message.slice(0, 2048);
  while (Buffer.byteLength(JSON.stringify(kept)) > terminationBytes / 2) kept = kept.slice(0, -16);
  return kept;
}

function writeTermination(last: Termination, log: pino.Logger): void {
  const text = JSON.stringify(last);
  if (Buffer.byteLength(text) > terminationBytes) throw new RangeError('termination message is too long');
  const path = process.env.DESTILL_TERMINATION_LOG;
  if (path === undefined) {
    log.info(last, 'finished');
    return;
  }
  // Not written aside: in a pod the file is a mount of its own, in a folder that cannot be written to.
  writeFileSync(path, text);
}

if (process.argv.includes('--help')) {
  process.stdout.write(usage);
} else {
  process.exitCode = await main();
  // An IPC channel would keep the process alive.
  if (process.connected) process.disconnect();
}
