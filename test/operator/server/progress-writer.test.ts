import type { RunProgress } from '@destillml/core/api/run.ts';
import { describe, expect, test } from 'vitest';
import type { CachedRun } from '../../../operator/server/bound-pod.ts';
import {
  ProgressWriter,
  type RunRef,
  type TrainerStatus,
  type WriteResult,
} from '../../../operator/server/progress-writer.ts';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import { progress, record, silent } from './world.ts';

const small: RunRef = { namespace: 'lab', name: 'small', uid: 'run-uid' };
const other: RunRef = { namespace: 'lab', name: 'other', uid: 'other-uid' };

function setUp() {
  const clock = new FakeClock(Date.parse('2026-11-24T13:00:00Z'));
  const cached = new Map<string, CachedRun>([
    ['small', { metadata: { uid: 'run-uid' } }],
    ['other', { metadata: { uid: 'other-uid' } }],
  ]);
  const writes: { name: string; status: TrainerStatus }[] = [];
  const results: WriteResult[] = [];
  const server = { write: async () => true };
  const writer = new ProgressWriter({
    write: async ({ name }, status) => {
      writes.push({ name, status });
      return await server.write();
    },
    run: ({ name }) => cached.get(name),
    interval: 10_000,
    clock,
    log: silent,
    observe: (result) => results.push(result),
  });
  const add = (run: RunRef, changes: Partial<RunProgress> = {}) =>
    writer.add(run, { kind: 'progress', progress: { ...progress, ...changes } });
  const addEpoch = (epoch: number, earlier: readonly number[] = []) =>
    writer.add(small, {
      kind: 'epoch',
      record: { ...record, epoch, validationAccuracy: epoch / 10 },
      progress: { ...progress, epoch },
      earlier: earlier.map((each) => ({ epoch: each, validationAccuracy: each / 10 })),
    });
  return { clock, cached, writes, results, server, writer, add, addEpoch };
}

describe('progress', () => {
  test('is written at once, then once in an interval, the last word each time', async () => {
    const { clock, writes, results, add } = setUp();
    add(small, { step: 1 });
    add(small, { step: 2 });
    add(small, { step: 3 });
    expect(writes.map(({ status }) => status.progress.step)).toEqual([1]);
    await clock.advance(9_999);
    expect(writes).toHaveLength(1);
    await clock.advance(1);
    expect(writes.map(({ status }) => status.progress.step)).toEqual([1, 3]);
    expect(results.toSorted()).toEqual(['coalesced', 'success', 'success']);
  });

  test('of one Run does not wait for that of another', () => {
    const { writes, add } = setUp();
    add(small);
    add(other);
    expect(writes.map(({ name }) => name)).toEqual(['small', 'other']);
  });

  test('that stops coming leaves neither timer nor memory, and is written at once when it comes again', async () => {
    const { clock, writes, add } = setUp();
    add(small);
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
    add(small, { step: 4 });
    expect(writes).toHaveLength(2);
  });

  test('of the epochs that were coalesced is all in the history', async () => {
    const { clock, writes, addEpoch } = setUp();
    addEpoch(1);
    addEpoch(2);
    addEpoch(4, [3]);
    await clock.advance(10_000);
    expect(writes.at(-1)?.status.history).toEqual([0.1, 0.2, 0.3, 0.4]);
  });

  test('goes on with the history that another replica wrote, also meanwhile', async () => {
    const { clock, cached, writes, addEpoch } = setUp();
    cached.set('small', { metadata: { uid: 'run-uid' }, status: { history: [0.7, 0.8] } });
    addEpoch(3);
    expect(writes[0]?.status.history).toEqual([0.7, 0.8, 0.3]);
    cached.set('small', { metadata: { uid: 'run-uid' }, status: { history: [0.7, 0.8, 0.3, 0.9, 0.9] } });
    addEpoch(6);
    await clock.advance(10_000);
    expect(writes[1]?.status.history).toEqual([0.7, 0.8, 0.3, 0.9, 0.9, 0.6]);
  });

  test('that could not be written is written after the interval, unless something newer came', async () => {
    const { clock, writes, results, server, add } = setUp();
    server.write = () => Promise.reject(new Error('no answer'));
    add(small, { step: 1 });
    await settle();
    await clock.advance(10_000);
    add(small, { step: 2 });
    server.write = async () => true;
    await clock.advance(10_000);
    expect(writes.map(({ status }) => status.progress.step)).toEqual([1, 1, 2]);
    expect(results).toEqual(['error', 'error', 'coalesced', 'success']);
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
  });

  test('is given up when the API server does not answer within 10 s, and is tried again', async () => {
    const { clock, results } = setUp();
    const signals: AbortSignal[] = [];
    const writer = new ProgressWriter({
      write: (_run, _status, signal) => {
        signals.push(signal);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      run: () => ({ metadata: { uid: 'run-uid' } }),
      interval: 10_000,
      clock,
      log: silent,
      observe: (result) => results.push(result),
    });
    writer.add(small, { kind: 'progress', progress });
    await clock.advance(10_000);
    expect(signals[0]?.reason).toEqual(new Error('the API server did not answer within 10 s'));
    await clock.advance(0);
    expect(signals).toHaveLength(2);
    const flushed = writer.flush(1000);
    await clock.advance(1000);
    await flushed;
    expect(clock.pending).toBe(0);
  });

  test('of a Run that is gone, or has been made anew, is dropped', async () => {
    const { clock, cached, writes, results, add } = setUp();
    cached.delete('small');
    cached.set('other', { metadata: { uid: 'new-uid' } });
    add(small);
    add(other);
    await clock.advance(20_000);
    expect(writes).toEqual([]);
    expect(results).toEqual(['dropped', 'dropped']);
  });

  test('of a Run that turns out to be gone is dropped', async () => {
    const { clock, results, server, add } = setUp();
    server.write = async () => false;
    add(small);
    await clock.advance(10_000);
    expect(results).toEqual(['dropped']);
    expect(clock.pending).toBe(0);
  });

  test('never replaces newer progress that another replica wrote', async () => {
    const { clock, cached, writes, results, add } = setUp();
    add(small, { updatedAt: '2026-11-24T12:00:01Z' });
    add(small, { updatedAt: '2026-11-24T12:00:02Z' });
    const newer = { ...progress, updatedAt: '2026-11-24T12:00:05Z' };
    cached.set('small', { metadata: { uid: 'run-uid' }, status: { progress: newer } });
    await clock.advance(10_000);
    expect(writes).toHaveLength(1);
    expect(results).toEqual(['success', 'dropped']);
  });

  test('replaces what a pod wrote whose clock is ahead', () => {
    const { cached, writes, add } = setUp();
    const ahead = { ...progress, updatedAt: '2027-01-01T00:00:00Z' };
    cached.set('small', { metadata: { uid: 'run-uid' }, status: { progress: ahead } });
    add(small);
    expect(writes).toHaveLength(1);
  });

  test('is flushed at the end, each Run once, after the write that is under way', async () => {
    const { clock, writes, server, writer, add } = setUp();
    let finish: () => void = () => undefined;
    server.write = () =>
      new Promise((resolve) => {
        finish = () => resolve(true);
      });
    add(small, { step: 1 });
    add(small, { step: 2 });
    const flushed = writer.flush(4_000);
    await settle();
    expect(writes).toHaveLength(1);
    server.write = async () => true;
    finish();
    await flushed;
    expect(writes.map(({ status }) => status.progress.step)).toEqual([1, 2]);
    expect(clock.pending).toBe(0);
  });
});
