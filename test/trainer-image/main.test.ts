import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { exitCodes, type Report, report, termination } from '@destillml/core/protocol/report.ts';
import { describe, expect, test } from 'vitest';
import { digest, smallRun, temporaryFolder } from './training/run.ts';

const main = fileURLToPath(import.meta.resolve('@destillml/trainer/main.ts'));

/** A real trainer process; `onReport` may end it. */
async function trainer(
  assignment: string | Assignment,
  onReport: (report: Report, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
) {
  const log = join(temporaryFolder(), 'termination.json');
  const child = fork(main, [], {
    env: {
      ...process.env,
      DESTILL_ASSIGNMENT: typeof assignment === 'string' ? assignment : JSON.stringify(assignment),
      DESTILL_TERMINATION_LOG: log,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const reports: Report[] = [];
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  child.on('message', (message) => {
    const parsed = report.parse(message);
    reports.push(parsed);
    onReport(parsed, (signal) => child.kill(signal));
  });
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  const last = existsSync(log) ? termination.parse(JSON.parse(readFileSync(log, 'utf8'))) : undefined;
  return { code, last, reports, errors };
}

/** Real MNIST images; long enough to be stopped midway. */
function realRun(artifacts: string): Assignment {
  return smallRun({
    artifacts,
    parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.02 } },
    training: { epochs: 2 },
  });
}

describe('a trainer process', () => {
  test('stopped by SIGTERM, and killed by SIGKILL, goes on to the same weights, bit for bit', async () => {
    const whole = realRun(temporaryFolder());
    const done = await trainer(whole);
    expect(done).toMatchObject({ code: exitCodes.succeeded, last: { outcome: 'succeeded' } });
    expect(done.reports.at(-1)).toMatchObject({ kind: 'epoch', progress: { epoch: 2, epochs: 2 } });

    const broken = realRun(temporaryFolder());
    const stopped = await trainer(broken, ({ kind }, kill) => {
      if (kind === 'progress') kill('SIGTERM');
    });
    expect(stopped).toMatchObject({ code: exitCodes.preempted, last: { outcome: 'preempted' } });
    const killed = await trainer(broken, ({ kind }, kill) => {
      if (kind === 'epoch') kill('SIGKILL');
    });
    expect(killed).toMatchObject({ code: null, last: undefined });
    expect((await trainer(broken)).code).toBe(exitCodes.succeeded);
    expect(digest(broken.artifacts)).toBe(digest(whole.artifacts));
    expect(digest(broken.artifacts, 'best')).toBe(digest(whole.artifacts, 'best'));
  });

  test.each([
    ['no JSON', 'nonsense', 'DESTILL_ASSIGNMENT is not JSON'],
    ['the wrong fields', '{"name": "x"}', 'DESTILL_ASSIGNMENT is wrong'],
  ])('told %s, it says so and exits with the code that forbids retries', async (_, text, message) => {
    const { code, last, errors } = await trainer(text);
    expect(code).toBe(exitCodes.invalid);
    expect(last).toMatchObject({
      outcome: 'failed',
      code: 'InvalidSpec',
      message: expect.stringContaining(message),
    });
    expect(errors).not.toContain('    at ');
  });

  test('that cannot find its data says which file', async () => {
    const run = smallRun({
      artifacts: temporaryFolder(),
      parameters: {
        dataset: { name: 'cifar10', source: { directory: { path: '/nowhere' } }, validation: 10 },
      },
    });
    const { code, last } = await trainer(run);
    expect(last).toMatchObject({ outcome: 'failed', message: expect.stringContaining('/nowhere') });
    expect([exitCodes.dataset, exitCodes.failed]).toContain(code);
  });

  test('whose error is long, in letters of several bytes, still leaves a last word', async () => {
    const run = smallRun({
      artifacts: temporaryFolder(),
      parameters: {
        dataset: {
          name: 'cifar10',
          source: { directory: { path: `/${'ü\\'.repeat(500)}` } },
          validation: 10,
        },
      },
    });
    const { last, errors } = await trainer(run);
    expect(last).toMatchObject({ outcome: 'failed' });
    expect(errors).not.toContain('RangeError');
  });

  test('that diverges exits with the code that forbids retries', async () => {
    const run = smallRun({
      artifacts: temporaryFolder(),
      parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.02 } },
      training: { optimizer: { learningRate: 10, weightDecay: 1 }, epochs: 30 },
    });
    const { code, last } = await trainer(run);
    expect(last).toMatchObject({ outcome: 'failed', code: 'TrainingDiverged' });
    expect(code).toBe(exitCodes.diverged);
  });
});
