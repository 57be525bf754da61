import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FakeClock } from '../../operator/runtime/fake-clock.ts';
import { world } from '../../operator/server/world.ts';
import { smallRun, temporaryFolder } from '../training/run.ts';

const main = fileURLToPath(import.meta.resolve('@destillml/trainer/main.ts'));

test('a trainer tells the operator of every epoch until its end, with the token of its pod', async () => {
  const { server, writes, count } = await world({ deps: { clock: new FakeClock(Date.now()) } });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'token'), 'pod-token');
  const run = smallRun({
    artifacts: temporaryFolder(),
    parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.005 } },
    training: { epochs: 3 },
  });
  const trainer = fork(main, [], {
    env: {
      ...process.env,
      DESTILL_ASSIGNMENT: JSON.stringify(run),
      DESTILL_LOG_LEVEL: 'warn',
      DESTILL_PUSH_URL: `https://127.0.0.1:${server.port}/v1/namespaces/lab/runs/small/progress`,
      DESTILL_PUSH_TOKEN_FILE: join(folder, 'token'),
      DESTILL_PUSH_CA: server.certificate,
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  trainer.stderr?.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const code = await new Promise((resolve) => trainer.once('exit', resolve));
  expect(code, errors).toBe(0);

  await server.close();
  expect(writes.at(-1)).toMatchObject({
    run: { namespace: 'lab', name: 'small', uid: 'run-uid' },
    status: {
      progress: { epoch: 3, epochs: 3 },
      history: [expect.any(Number), expect.any(Number), expect.any(Number)],
    },
  });
  expect(await count('destillml_progress_requests_total', 'code="202"')).toBeGreaterThanOrEqual(1);
  expect(await count('destillml_progress_writes_total', 'result="error"')).toBe(0);
});
