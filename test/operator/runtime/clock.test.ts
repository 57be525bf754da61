import { describe, expect, it } from 'vitest';
import { microTime, sleep } from '../../../operator/runtime/clock.ts';
import { deadline } from '../../../operator/runtime/deadline.ts';
import { FakeClock, settle } from './fake-clock.ts';

describe('sleep', () => {
  it('lasts as long as told', async () => {
    const clock = new FakeClock();
    let awake = false;
    const nap = sleep(clock, 100, new AbortController().signal).then(() => {
      awake = true;
    });
    await clock.advance(99);
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(awake).toBe(true);
    await nap;
  });

  it('ends with the reason of the signal, and leaves no timer', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const nap = sleep(clock, 100, stop.signal);
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(nap).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
  });

  it('does not begin under a signal that is aborted', async () => {
    const clock = new FakeClock();
    await expect(sleep(clock, 100, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
    expect(clock.pending).toBe(0);
  });
});

describe('a deadline', () => {
  const error = new Error('late');
  const late = () => error;

  it('aborts with its error once the time is over', async () => {
    const clock = new FakeClock();
    const { signal } = deadline(clock, 100, late, new AbortController().signal);
    await clock.advance(99);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.reason).toBe(error);
  });

  it('follows the outer signal, also one that was aborted before', () => {
    const stop = new AbortController();
    const before = deadline(new FakeClock(), 100, late, stop.signal);
    stop.abort('stop');
    const after = deadline(new FakeClock(), 100, late, stop.signal);
    expect([before.signal.reason, after.signal.reason]).toEqual(['stop', 'stop']);
  });

  it('starts anew when it is extended', async () => {
    const clock = new FakeClock();
    const limit = deadline(clock, 100, late, new AbortController().signal);
    await clock.advance(90);
    limit.extend(1000, () => new Error('later'));
    await clock.advance(999);
    expect(limit.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(limit.signal.reason).toEqual(new Error('later'));
  });

  it('holds neither timer nor signal once it is closed', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const limit = deadline(clock, 100, late, stop.signal);
    limit.close();
    stop.abort();
    await settle();
    expect(clock.pending).toBe(0);
    expect(limit.signal.aborted).toBe(false);
  });
});

describe('microTime', () => {
  it('has six digits after the second, also on the full second', () => {
    expect(microTime(Date.parse('2026-11-24T12:00:00.007Z'))).toBe('2026-11-24T12:00:00.007000Z');
    expect(microTime(Date.parse('2026-11-24T12:00:00Z'))).toBe('2026-11-24T12:00:00.000000Z');
  });
});
