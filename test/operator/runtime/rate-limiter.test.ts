import { describe, expect, it } from 'vitest';
import { RateLimiter } from '../../../operator/runtime/rate-limiter.ts';
import { FakeClock } from './fake-clock.ts';

const { signal } = new AbortController();

/** Times at which `count` requests that come at once may go, in milliseconds. */
async function times(limiter: RateLimiter, clock: FakeClock, count: number): Promise<number[]> {
  const gone: number[] = [];
  const requests = Array.from({ length: count }, async () => {
    await limiter.take(signal);
    gone.push(clock.monotonic());
  });
  await clock.advance(60_000);
  await Promise.all(requests);
  return gone;
}

describe('a rate limiter', () => {
  it('lets a burst go, then one after the other', async () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ qps: 10, burst: 3 }, clock);
    expect(await times(limiter, clock, 6)).toEqual([0, 0, 0, 100, 200, 300]);
  });

  it('allows no more than the burst after any pause', async () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ qps: 10, burst: 2 }, clock);
    await clock.advance(3_600_000);
    const gone = await times(limiter, clock, 3);
    expect(gone.map((at) => at - 3_600_000)).toEqual([0, 0, 100]);
  });

  it('gives the token of one that no longer waits to the next', async () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ qps: 1, burst: 1 }, clock);
    const stop = new AbortController();
    await limiter.take(signal);
    const given = expect(limiter.take(stop.signal)).rejects.toThrow('stop');
    stop.abort(new Error('stop'));
    await given;
    expect(await times(limiter, clock, 1)).toEqual([1000]);
  });
});
