import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterClock } from '../../../operator/runtime/cluster-clock.ts';
import { FakeClock } from './fake-clock.ts';

const noon = Date.parse('2026-11-24T12:00:00Z');
const text = (time: number) => new Date(time).toUTCString();

/** A machine whose clock is `ahead` of the cluster's, in milliseconds, until somebody sets it. */
function machine(ahead: number) {
  const clock = new FakeClock(noon + ahead);
  let set = 0;
  const local = {
    now: () => clock.now() + set,
    monotonic: () => clock.monotonic(),
    after: clock.after.bind(clock),
  };
  const told: number[] = [];
  return {
    clock,
    told,
    cluster: new ClusterClock(local, (seconds) => told.push(Math.round(seconds))),
    set: (milliseconds: number) => {
      set = milliseconds;
    },
    truth: () => noon + clock.monotonic(),
  };
}

describe('the time of the cluster', () => {
  it('is the machine’s before anything was answered, and where the clocks agree', () => {
    const { cluster, told } = machine(0);
    expect(cluster.now()).toBe(noon);
    cluster.answered(text(noon), 0);
    cluster.answered(undefined, 0);
    cluster.answered('soon', 0);
    expect(cluster.now()).toBe(noon);
    expect(told).toEqual([]);
  });

  it.each([-600_000, 86_400_000, -7_000])(
    'is the API server’s where the machine’s is %d ms ahead',
    (ahead) => {
      const { cluster, told, truth } = machine(ahead);
      cluster.answered(text(truth()), 0);
      expect(Math.abs(cluster.now() - truth())).toBeLessThanOrEqual(1000);
      expect(Math.abs(cluster.skew - ahead / 1000)).toBeLessThanOrEqual(1);
      expect(told).toEqual([Math.round(cluster.skew)]);
    },
  );

  it('does not move when the machine’s clock is set; that is told of, and that it was set right again', () => {
    const { cluster, told, set, truth } = machine(0);
    set(86_400_000);
    expect(cluster.now()).toBe(noon);
    cluster.answered(text(truth()), 0);
    set(0);
    cluster.answered(text(truth()), 0);
    expect(cluster.now()).toBe(noon);
    expect(told).toEqual([86_400, 0]);
  });

  it('goes on with the monotonic clock', async () => {
    const { cluster, clock, truth } = machine(-600_000);
    cluster.answered(text(truth()), 0);
    const before = cluster.now();
    await clock.advance(3_600_000);
    expect(cluster.now() - before).toBe(3_600_000);
  });

  it('is within a second and the time an answer took, whatever answers came before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -1e8, max: 1e8 }),
        fc.array(fc.record({ pause: fc.nat(5_000), there: fc.nat(2_000), back: fc.nat(2_000) }), {
          minLength: 1,
        }),
        async (ahead, answers) => {
          const { cluster, clock, truth } = machine(ahead);
          for (const { pause, there, back } of answers) {
            await clock.advance(pause);
            const asked = clock.monotonic();
            await clock.advance(there);
            const date = text(truth());
            await clock.advance(back);
            cluster.answered(date, asked);
            expect(Math.abs(cluster.now() - truth())).toBeLessThanOrEqual(1000 + there + back);
          }
        },
      ),
    );
  });
});
