import { retry } from '@destillml/trainer/storage/retry.ts';
import { expect, test } from 'vitest';

/** Fails as often as told; time passes only in pauses. */
async function tried(failures: number, { patience = 60_000, passes = true } = {}) {
  let now = 0;
  let attempts = 0;
  const pauses: number[] = [];
  const told: string[] = [];
  const outcome = await retry(
    async () => {
      if (++attempts <= failures) throw new Error(`failure ${attempts}`);
      return 'done';
    },
    {
      patience,
      passes: () => passes,
      onFailure: (error) => told.push(String(error)),
      wait: async (milliseconds) => {
        pauses.push(milliseconds / 1000);
        now += milliseconds;
      },
      now: () => now,
    },
  ).catch((error: Error) => error.message);
  return { outcome, pauses, told };
}

test('pauses grow from one to fifteen seconds; the first failure is told', async () => {
  expect(await tried(0)).toEqual({ outcome: 'done', pauses: [], told: [] });
  expect(await tried(6)).toEqual({
    outcome: 'done',
    pauses: [1, 2, 4, 8, 15, 15],
    told: ['Error: failure 1'],
  });
});

test('patience is not exceeded: the last failure is thrown before a pause that would', async () => {
  expect(await tried(99, { patience: 30_000 })).toMatchObject({
    outcome: 'failure 6',
    pauses: [1, 2, 4, 8, 15],
  });
  expect(await tried(99, { patience: 0 })).toMatchObject({ outcome: 'failure 1', pauses: [], told: [] });
});

test('an attempt that gets on before it fails begins another row: its pauses, its patience, its message', async () => {
  let now = 0;
  let attempts = 0;
  const pauses: number[] = [];
  const told: string[] = [];
  const failed = retry(
    async (getsOn) => {
      attempts += 1;
      if (attempts === 4) {
        now += 3_600_000;
        getsOn();
      }
      throw new Error(`failure ${attempts}`);
    },
    {
      patience: 10_000,
      passes: () => true,
      onFailure: (error) => told.push(String(error)),
      wait: async (milliseconds) => {
        pauses.push(milliseconds / 1000);
        now += milliseconds;
      },
      now: () => now,
    },
  );
  await expect(failed).rejects.toThrow('failure 7');
  expect(pauses).toEqual([1, 2, 4, 1, 2, 4]);
  expect(told).toEqual(['Error: failure 1', 'Error: failure 4']);
});

test('what does not pass is not tried again', async () => {
  expect(await tried(1, { passes: false })).toEqual({ outcome: 'failure 1', pauses: [], told: [] });
});

test('a pause that is broken off ends it', async () => {
  const stopped = retry(() => Promise.reject(new Error('away')), {
    patience: 60_000,
    passes: () => true,
    onFailure: () => undefined,
    wait: () => Promise.reject(new Error('stopped')),
    now: () => 0,
  });
  await expect(stopped).rejects.toThrow('stopped');
});
