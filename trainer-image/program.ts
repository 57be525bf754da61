import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { S3Location } from '@destillml/core/api/locations.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { type Assignment, assignment } from '@destillml/core/protocol/assignment.ts';
import { exitCodes, type Report, type Termination } from '@destillml/core/protocol/report.ts';
import { type S3Purpose, s3Variable } from '@destillml/core/protocol/s3.ts';
import { shownOutput } from '@destillml/core/text/shown-output.ts';
import { pino } from 'pino';
import { z } from 'zod';
import { openArtifacts } from './artifacts/open-artifacts.ts';
import { renamed } from './artifacts/renamed.ts';
import { threadsIn } from './artifacts/threads.ts';
import { defaultLoadDeps, load } from './data/load.ts';
import { endingOf, terminationBytes } from './ending.ts';
import type { ExplainingOutcome } from './explain/explain-run.ts';
import { explanationKeeping } from './explain/keeping.ts';
import { type Metrics, startMetrics } from './metrics/metrics-thread.ts';
import type { Observation } from './metrics/observation.ts';
import { teacherFile } from './onnx-teacher/teacher-file.ts';
import { startPush } from './reporting/push-thread.ts';
import { diskError } from './storage/disk.ts';
import { s3Address, s3Place } from './storage/s3/place.ts';
import { endedWhileLoading } from './tensorflow/unloadable.ts';
import { trainingKeeping } from './training/keeping.ts';
import type { TrainingDeps, TrainingOutcome } from './training/train.ts';

const usage = `destill-trainer: trains, distils and evaluates one network.

It is started by the operator (in a pod) or by "destill run" (on a machine), with the environment variables
  DESTILL_ASSIGNMENT       what to do, as JSON (see src/protocol/assignment.ts), or @FILE
  DESTILL_TERMINATION_LOG  file for the last word: the result or the error
  DESTILL_PUSH_URL         https address of the operator to report progress to; without it nobody is told
  DESTILL_PUSH_TOKEN_FILE  file with the token to show there, read again for each report
  DESTILL_PUSH_CA          authority that vouches for the operator, PEM (default: well-known ones)
  DESTILL_METRICS_PORT     port to serve metrics for Prometheus at (GET /metrics); without it they are not served
  DESTILL_CLAIMS           folder in which persistent volume claims with data sets or a teacher are mounted
  DESTILL_<WHAT>_S3_ENDPOINT, _REGION, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY
                           how to reach what is in S3: ARTIFACTS, TEACHER, ONNX or DATASET; without endpoint AWS
  DESTILL_S3_PATIENCE      seconds for which the store of the artifacts may be away (default 900; of these at most
                           120 at the start, 100 after SIGTERM)
  DESTILL_LOG_LEVEL        debug also logs progress inside epochs (default info)

Exit codes: 0 succeeded, or trained as far as untilEpoch says; 1 failed (try again), 65 data unusable, 69 machine or image
unfit, 70 diverged, 74 volume full or read-only, 75 stopped with a checkpoint, 78 assignment wrong.
`;

/** Does what the environment says. @returns exit code */
export async function main(stop: AbortSignal): Promise<number> {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage);
    return 0;
  }
  const stderr = pino.destination({ dest: 2, sync: true });
  // A log that has no room left ends nothing.
  stderr.on('error', () => undefined);
  const log = pino({ base: null, level: process.env.DESTILL_LOG_LEVEL ?? 'info' }, shownOutput(stderr));
  const push = startPush(process.env, log);

  let metrics: Metrics | undefined;
  const observe = (observation: Observation) => metrics?.observe(observation);
  let last: Termination;
  let code: number;
  try {
    const assignment = readAssignment(process.env.DESTILL_ASSIGNMENT);
    const { namespace, experiment, name } = assignment;
    metrics = startMetrics(process.env, { namespace, experiment, run: name }, log);
    const report = (report: Report) => {
      send(report, log);
      push?.report(report);
      observe(report);
    };
    const outcome = await run(assignment, stop, log, { report, observe });
    if (outcome.outcome === 'succeeded') observe({ kind: 'result', result: outcome.result });
    last = outcome;
    code = outcome.outcome === 'preempted' ? exitCodes.preempted : exitCodes.succeeded;
  } catch (error) {
    const ending = endingOf(error, stop.aborted);
    ({ last, code } = ending);
    if (ending.mendable !== undefined) log.error({ code: ending.mendable.code }, ending.mendable.message);
    else if (last.outcome === 'failed') log.error({ err: error }, 'unexpected error');
  }
  if (process.env.DESTILL_TERMINATION_LOG === undefined) log.info(last, 'finished');
  writeTermination(last, log);
  await push?.close();
  // Nothing waits for it but the end of this process. A paused Run goes on with its series, and holds no GPU meanwhile.
  await metrics?.close(last.outcome === 'paused' ? AbortSignal.abort() : stop);
  return code;
}

async function run(
  assignment: Assignment,
  signal: AbortSignal,
  log: pino.Logger,
  listeners: Pick<TrainingDeps, 'report' | 'observe'>,
): Promise<TrainingOutcome | ExplainingOutcome> {
  const { env } = process;
  const patience = secondsOf(env.DESTILL_S3_PATIENCE ?? '900') * 1000;
  const warn = (message: string) => log.warn(message);
  const isExplanation = assignment.parameters.role === 'explanation';
  const keeping = isExplanation ? explanationKeeping(assignment) : trainingKeeping(assignment);
  const artifacts = await openArtifacts(assignment, keeping, { env, patience, warn, signal });
  try {
    const threads = takeThreads(threadsIn(artifacts.folders.own));
    const work = await loaded(isExplanation, log);
    const outcome = await work(assignment, {
      load: async (dataset, folder, signal) => {
        const loaded = await load(dataset, folder, {
          ...defaultLoadDeps,
          ...claims(),
          openBucket: (location) => openBucket('DATASET', s3Address(location), location),
          warn,
          signal,
        });
        for (const note of loaded.notes) log.info(note);
        return loaded;
      },
      teacherFile: (teacher, folder, signal) =>
        teacherFile(teacher, folder, {
          ...defaultLoadDeps,
          claims: env.DESTILL_CLAIMS,
          openBucket: (object) =>
            openBucket('ONNX', s3Address({ bucket: object.bucket, prefix: object.key }), object),
          warn,
          signal,
        }),
      ...listeners,
      report: (report) =>
        listeners.report(
          report.kind === 'note' ? { ...report, message: artifacts.named(report.message) } : report,
        ),
      folders: artifacts.folders,
      saved: artifacts.saved,
      threads,
      clock: () => performance.now(),
      now: () => new Date(),
      signal: AbortSignal.any([signal, artifacts.lost]),
    });
    // Nothing is said to be done before others can see it.
    await artifacts.finish();
    return outcome;
  } catch (error) {
    throw artifacts.lost.aborted ? artifacts.lost.reason : renamed(error, artifacts.named);
  } finally {
    await artifacts.close();
  }
}

/**
 * Makes TensorFlow compute with as many threads as before, where a Run goes on: sums of floating-point numbers depend on
 * how they are shared out. Otherwise with as many as the environment says, or as there are processors.
 *
 * @returns how many
 */
function takeThreads(before: number | undefined): number {
  const said = Number(process.env.TF_NUM_INTRAOP_THREADS);
  const threads = before ?? (Number.isInteger(said) && said > 0 ? said : availableParallelism());
  process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  return threads;
}

/**
 * The work, and with it TensorFlow. Should that end the process, a word is left that says so.
 *
 * @throws DestillError `Environment`, `OutOfMemory`
 */
async function loaded(isExplanation: boolean, log: pino.Logger) {
  writeTermination({ outcome: 'failed', code: 'Environment', message: endedWhileLoading }, log);
  const work = isExplanation
    ? (await import('./explain/explain-run.ts')).explainRun
    : (await import('./training/train.ts')).train;
  writeTermination(undefined, log);
  return work;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0) return seconds;
  throw new DestillError('InvalidSpec', `DESTILL_S3_PATIENCE is "${text}", not a number of seconds.`);
}

/** A bucket that is read; how to reach it the spec says, where the environment does not. */
async function openBucket(
  purpose: S3Purpose,
  address: string,
  { region, endpoint }: Pick<S3Location, 'region' | 'endpoint'>,
) {
  const { Bucket } = await import('./storage/s3/bucket.ts');
  const said = {
    [s3Variable(purpose, 'REGION')]: region,
    [s3Variable(purpose, 'ENDPOINT')]: endpoint,
    ...process.env,
  };
  return new Bucket(s3Place(purpose, address, said), { keepAlive: true });
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

/** @param last undefined: nothing is to be said yet */
function writeTermination(last: Termination | undefined, log: pino.Logger): void {
  const text = last === undefined ? '' : JSON.stringify(last);
  if (Buffer.byteLength(text) > terminationBytes) throw new RangeError('termination message is too long');
  const path = process.env.DESTILL_TERMINATION_LOG;
  if (path === undefined) return;
  try {
    // Not written aside: in a pod the file is a mount of its own, in a folder that cannot be written to.
    writeFileSync(path, text);
  } catch (error) {
    const what = diskError(error, path)?.message ?? String(error);
    log.error(`the last word could not be written: ${what}`);
  }
}
