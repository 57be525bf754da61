import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { exitCodes } from '@destillml/core/protocol/report.ts';
import { readHistory } from '@destillml/trainer/artifacts/history.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../cluster/ports.ts';
import { tellsOfSigterm } from '../cluster/signals.ts';
import { forTerminals } from '../src/text/hostile.ts';
import { runTrainer } from './process.ts';
import { digest, smallRun, temporaryFolder } from './training/run.ts';

/** Real MNIST images; long enough to be stopped midway. */
function realRun(artifacts: string, epochs = 2): Assignment {
  return smallRun({
    artifacts,
    parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.02 } },
    training: { epochs },
  });
}

describe('a trainer process', () => {
  const env = { TF_NUM_INTRAOP_THREADS: '2' };
  /** A Run that nothing interrupted. */
  const whole = realRun(temporaryFolder());
  let done: Awaited<ReturnType<typeof runTrainer>>;
  beforeAll(async () => {
    done = await runTrainer(whole, { env });
  });
  const expectSameAsWhole = ({ artifacts }: Assignment) => {
    for (const which of ['last', 'best'] as const) {
      expect(digest(artifacts, which)).toBe(digest(whole.artifacts, which));
    }
  };

  test('stopped by SIGTERM, and killed by SIGKILL, goes on to the same weights, bit for bit', async () => {
    // What is to be known of the data.
    expect(done.errors).toContain('The original split: 60,000 + 10,000 images.');
    expect(done).toMatchObject({ code: exitCodes.succeeded, last: { outcome: 'succeeded' } });
    expect(done.reports.at(-1)).toMatchObject({ kind: 'epoch', progress: { epoch: 2, epochs: 2 } });

    const broken = realRun(temporaryFolder());
    const stopped = await runTrainer(broken, {
      env,
      onReport: ({ kind }, trainer) => kind === 'progress' && trainer.kill('SIGTERM'),
    });
    expect(stopped).toMatchObject({ code: exitCodes.preempted, last: { outcome: 'preempted' } });
    const killed = await runTrainer(broken, {
      env,
      onReport: ({ kind }, trainer) => kind === 'epoch' && trainer.kill('SIGKILL'),
    });
    expect(killed).toMatchObject({ code: null, last: undefined });
    expect((await runTrainer(broken, { env })).code).toBe(exitCodes.succeeded);
    expectSameAsWhole(broken);
  });

  test('paused at rungs, and killed between them, goes on to the same weights and result, bit for bit', async () => {
    const unpaused = realRun(temporaryFolder(), 3);
    const { last: end } = await runTrainer(unpaused, { env });
    const best = readHistory(unpaused.artifacts).map(({ validationAccuracy }) => validationAccuracy);

    const run = realRun(temporaryFolder(), 3);
    for (const untilEpoch of [1, 2]) {
      const rung = { outcome: 'paused', epoch: untilEpoch };
      const validationAccuracy = Math.max(...best.slice(0, untilEpoch));
      if (untilEpoch === 2) {
        // With the checkpoint of the rung written, and before its last word.
        const killed = await runTrainer(
          { ...run, untilEpoch },
          { env, onReport: ({ kind }, trainer) => kind === 'epoch' && trainer.kill('SIGKILL') },
        );
        expect(killed).toMatchObject({ code: null, last: undefined });
      }
      const paused = await runTrainer({ ...run, untilEpoch }, { env });
      expect(paused.last, paused.errors).toEqual({ ...rung, validationAccuracy });
      expect(paused.code).toBe(exitCodes.succeeded);
    }
    const killed = await runTrainer(run, {
      env,
      onReport: ({ kind }, trainer) => kind === 'progress' && trainer.kill('SIGKILL'),
    });
    expect(killed).toMatchObject({ code: null, last: undefined });
    const { code, last } = await runTrainer(run, { env });
    expect(code).toBe(exitCodes.succeeded);
    for (const which of ['last', 'best'] as const) {
      expect(digest(run.artifacts, which)).toBe(digest(unpaused.artifacts, which));
    }
    const timeless = (word: typeof last) => {
      if (word?.outcome !== 'succeeded') throw new Error(`it says ${word?.outcome}`);
      const { trainingSeconds, imagesPerSecond, artifacts, ...result } = word.result;
      return result;
    };
    expect(timeless(last)).toEqual(timeless(end));
  });

  test('that pauses holds its GPUs no longer, not for the next scrape of its metrics either', async () => {
    const port = String(await freePort());
    const dataset = { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.005 };
    const run = smallRun({ artifacts: temporaryFolder(), parameters: { dataset } });
    let scraped: Promise<number> | undefined;
    const scrape = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
      await answer.text();
      return performance.now();
    };
    const { last } = await runTrainer(
      { ...run, untilEpoch: 1 },
      {
        env: { ...env, DESTILL_METRICS_PORT: port },
        onReport: () => {
          scraped ??= scrape();
        },
      },
    );
    expect(last).toMatchObject({ outcome: 'paused', epoch: 1 });
    // Before Prometheus would look again.
    expect(performance.now() - (await scraped!)).toBeLessThan(15_000);
  });

  test('goes on with as many threads as it began with, whatever it may have now, to the same weights', async () => {
    const broken = realRun(temporaryFolder());
    await runTrainer(broken, {
      env,
      onReport: ({ kind }, trainer) => kind === 'epoch' && trainer.kill('SIGKILL'),
    });
    const { code, reports } = await runTrainer(broken, { env: { TF_NUM_INTRAOP_THREADS: '1' } });
    expect(code).toBe(exitCodes.succeeded);
    expectSameAsWhole(broken);
    expect(reports.filter(({ kind }) => kind === 'note')).toHaveLength(1);
    const result = JSON.parse(readFileSync(join(broken.artifacts, 'result.json'), 'utf8'));
    expect(result.environment.threads).toBe('2');
  });

  test('waits for another one in its folder; when that is killed, it goes on at once, to the same weights', async () => {
    const run = realRun(temporaryFolder());
    let second: ReturnType<typeof runTrainer> | undefined;
    const first = await runTrainer(run, {
      env,
      onReport: ({ kind }, trainer) => {
        if (kind !== 'progress') return;
        second ??= runTrainer(run, {
          env,
          onLog: (text) => text.includes('another trainer works in this folder') && trainer.kill('SIGKILL'),
        });
      },
    });
    expect(first).toMatchObject({ code: null, last: undefined });
    expect((await second)?.code).toBe(exitCodes.succeeded);
    expectSameAsWhole(run);
  });

  test('told to stop while it still loads, ends as preempted', async () => {
    const { code, last, errors } = await runTrainer(realRun(temporaryFolder()), {
      env: { NODE_OPTIONS: tellsOfSigterm },
      onLog: (text, trainer) => text.includes('catches SIGTERM') && trainer.kill('SIGTERM'),
    });
    expect(errors).toContain('catches SIGTERM, modules loaded: 1\n');
    expect({ code, last }).toMatchObject({ code: exitCodes.preempted, last: { outcome: 'preempted' } });
  });

  test.each([
    ['no JSON', 'nonsense', 'DESTILL_ASSIGNMENT is not JSON'],
    ['the wrong fields', '{"name": "x"}', 'DESTILL_ASSIGNMENT is wrong'],
  ])('told %s, it says so and exits with the code that forbids retries', async (_, text, message) => {
    const { code, last, errors } = await runTrainer(text);
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
    const { code, last } = await runTrainer(run);
    expect(last).toMatchObject({ outcome: 'failed', message: expect.stringContaining('/nowhere') });
    expect([exitCodes.dataset, exitCodes.failed]).toContain(code);
  });

  test('sends a terminal nothing of the names that it is told', async () => {
    const path = '/nowhere/\u001b[31m\u009b2J\u202e\u0007';
    const run = smallRun({
      artifacts: temporaryFolder(),
      parameters: { dataset: { name: 'cifar10', source: { directory: { path } }, validation: 10 } },
    });
    const { last, errors } = await runTrainer(run);
    expect(last).toMatchObject({
      message: expect.stringContaining('/nowhere/\\u001b[31m\\u009b2J\\u202e\\u0007'),
    });
    expect(forTerminals(errors)).toEqual([]);
    const logged: unknown = errors
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    expect(logged).toContainEqual(expect.objectContaining({ msg: expect.stringContaining(path) }));
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
    const { last, errors } = await runTrainer(run);
    expect(last).toMatchObject({ outcome: 'failed' });
    expect(errors).not.toContain('RangeError');
  });

  test('that diverges exits with the code that forbids retries', async () => {
    const run = smallRun({
      artifacts: temporaryFolder(),
      parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.02 } },
      training: { optimizer: { learningRate: 10, weightDecay: 1 }, epochs: 30 },
    });
    const { code, last } = await runTrainer(run);
    expect(last).toMatchObject({ outcome: 'failed', code: 'TrainingDiverged' });
    expect(code).toBe(exitCodes.diverged);
  });
});
