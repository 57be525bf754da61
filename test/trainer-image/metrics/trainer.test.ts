import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trainerMetrics } from '@destillml/core/metrics/trainer.ts';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../cluster/ports.ts';
import { waitFor } from '../../cluster/wait.ts';
import { smallRun, temporaryFolder } from '../training/run.ts';

const main = fileURLToPath(import.meta.resolve('@destillml/trainer/main.ts'));

test('a trainer is seen live, and at its end with its result, which does not wait for that', async () => {
  const port = await freePort();
  const termination = join(temporaryFolder(), 'termination.json');
  const run = smallRun({
    artifacts: temporaryFolder(),
    parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.005 } },
    training: { epochs: 2 },
  });
  const trainer = fork(main, [], {
    env: {
      ...process.env,
      DESTILL_ASSIGNMENT: JSON.stringify(run),
      DESTILL_LOG_LEVEL: 'warn',
      DESTILL_TERMINATION_LOG: termination,
      DESTILL_METRICS_PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => void trainer.kill('SIGKILL'));
  const exited = new Promise<number | null>((resolve) => trainer.once('exit', resolve));
  /** Prometheus, which comes again and again. */
  const scrapes: string[] = [];
  let lastWordBeforeEnd = false;
  await waitFor(
    'the end',
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      const text = await answer?.text().catch(() => undefined);
      if (text !== undefined) scrapes.push(text);
      if (text?.includes('split="test"')) lastWordBeforeEnd = existsSync(termination);
      return trainer.exitCode ?? undefined;
    },
    170_000,
  );
  expect(await exited).toBe(0);

  const learning = scrapes.filter((text) => text.includes('destillml_trainer_learning_rate{'));
  expect(learning[0]).not.toContain('split="test"');
  const last = scrapes.at(-1);
  expect(last).toContain('split="test"');
  expect(lastWordBeforeEnd).toBe(true);
  const labels = 'namespace="default",experiment="test",run="small"';
  expect(last).toContain(`destillml_trainer_epoch{${labels}} 2\n`);
  for (const { name, type } of Object.values(trainerMetrics)) {
    expect(last).toMatch(
      new RegExp(`^${name}${type === 'histogram' ? '_count' : ''}\\{${labels}.* [\\d.e-]+$`, 'm'),
    );
  }
});
