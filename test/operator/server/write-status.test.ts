import { describe, expect, test } from 'vitest';
import type { Run } from '../../../operator/controllers/kinds.ts';
import { WriteRefused } from '../../../operator/controllers/write-refused.ts';
import { ApiError } from '../../../operator/runtime/api-error.ts';
import { writeStatus } from '../../../operator/server/write-status.ts';
import { progress } from './world.ts';

const ref = { namespace: 'lab', name: 'small' };
const wanted = { ...ref, uid: 'run-uid' };
const status = { progress, history: [0.25] };
const signal = new AbortController().signal;

const refused = (code: number, reason: string) => new ApiError('PATCH', code, { reason });
const conflict = refused(409, 'Conflict');

function run(resourceVersion: string, uid = 'run-uid'): Run {
  return { metadata: { ...ref, uid, resourceVersion } } as Run;
}

/** An API server that answers the writes and reads one after the other, errors by throwing them. */
function server(answers: { writes: (Run | Error)[]; reads?: (Run | Error)[] }, cached: Run | undefined) {
  const applied: unknown[] = [];
  const seen: Run[] = [];
  const told: unknown[] = [];
  const settled: string[] = [];
  const next = async (from: (Run | Error)[] = []) => {
    const answer = from.shift();
    if (answer === undefined) throw new Error('not expected');
    if (answer instanceof Error) throw answer;
    return answer as never;
  };
  const deps = {
    client: {
      applyStatus: (_resource: unknown, object: unknown) => {
        applied.push(object);
        return next(answers.writes);
      },
      get: () => next(answers.reads),
    },
    cache: { get: () => cached, wrote: (object: Run) => void seen.push(object) },
    refusals: {
      tell: ({ metadata }: { metadata: object }, { refusal }: WriteRefused) => {
        told.push([metadata, refusal]);
        return refusal;
      },
      settled: (key: string) => void settled.push(key),
    },
  };
  return { applied, seen, told, settled, write: () => writeStatus(wanted, status, deps, signal) };
}

const at = (resourceVersion: string) => ({ metadata: { ...wanted, resourceVersion }, status });

describe('what trainers report', () => {
  test('is written to the version in the cache, which then holds the next', async () => {
    const { write, applied, seen } = server({ writes: [run('8')] }, run('7'));
    expect(await write()).toBe(true);
    expect(applied).toEqual([at('7')]);
    expect(seen).toEqual([run('8')]);
  });

  test('that is refused is told on the Run, and settled once it is written', async () => {
    const denied = new ApiError('PATCH', 403, { message: 'denied the request: Mondays' });
    const { write, told, settled } = server({ writes: [denied, run('8')] }, run('7'));
    await expect(write()).rejects.toThrow(WriteRefused);
    const message =
      'What its trainer reports cannot be written: denied the request: Mondays. Change what is refused, or have the policy changed. It is tried again, after a minute at the latest.';
    expect(told).toEqual([[run('7').metadata, { reason: 'AdmissionDenied', message }]]);
    expect(settled).toEqual([]);
    expect(await write()).toBe(true);
    expect(settled).toEqual(['lab/small']);
  });

  test('is written to the version that the API server has where the Run changed, or is not in the cache', async () => {
    const changed = server({ writes: [conflict, run('10')], reads: [run('9')] }, run('7'));
    expect(await changed.write()).toBe(true);
    expect(changed.applied).toEqual([at('7'), at('9')]);
    const unknown = server({ writes: [run('10')], reads: [run('9')] }, undefined);
    expect(await unknown.write()).toBe(true);
    expect(unknown.applied).toEqual([at('9')]);
  });

  test.each([
    ['is another in the cache', { writes: [] }, run('9', 'new-uid')],
    ['turns out to be another', { writes: [conflict], reads: [run('9', 'new-uid')] }, run('7')],
    ['is gone', { writes: [refused(404, 'NotFound')] }, run('7')],
    ['turns out to be gone', { writes: [conflict], reads: [refused(404, 'NotFound')] }, run('7')],
  ])('is not written to a Run that %s', async (_, answers, cached) => {
    const { write, seen, settled } = server(answers, cached);
    expect(await write()).toBe(false);
    expect(seen).toEqual([]);
    expect(settled).toEqual(['lab/small']);
  });

  test('is given up after four conflicts, and at once after another error', async () => {
    const reads = ['8', '9', '10'].map((version) => run(version));
    const busy = server({ writes: [conflict, conflict, conflict, conflict], reads }, run('7'));
    await expect(busy.write()).rejects.toBe(conflict);
    const down = refused(500, 'InternalError');
    await expect(server({ writes: [down] }, run('7')).write()).rejects.toMatchObject({ cause: down });
  });
});
