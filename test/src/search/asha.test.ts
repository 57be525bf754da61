import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AshaSettings,
  bracketOf,
  promotion as nextOf,
  rungsOf,
  standings,
} from '../../../src/search/asha.ts';
import { medianStops } from '../../../src/search/median.ts';
import { bestTrial, type Trial } from '../../../src/search/trial.ts';
import { reference } from './reference.ts';

const settings = { minEpochs: 1, eta: 3, brackets: 1 };

const promotion = (its: AshaSettings, epochs: number, trials: readonly Trial[]) =>
  nextOf(its, epochs, [standings(its, epochs, trials)]);

test('rungs are minEpochs times powers of eta, and the end of the training', () => {
  expect(rungsOf(settings, 27)).toEqual([1, 3, 9, 27]);
  expect(rungsOf({ ...settings, minEpochs: 2, eta: 4 }, 30)).toEqual([2, 8, 30]);
  expect(rungsOf({ ...settings, minEpochs: 5 }, 5)).toEqual([5]);
});

describe('a promotion', () => {
  test('is that of the best third of those that reported', () => {
    expect(promotion(settings, 27, paused(0.1, 0.3))).toBeUndefined();
    expect(promotion(settings, 27, paused(0.1, 0.3, 0.2))).toEqual({ number: 2, untilEpoch: 3 });
  });

  test('looks at higher rungs first', () => {
    const high = [4, 5, 6].map((number) => trial(number, 'paused', [1, 0.1], [3, 0.1 * number]));
    expect(promotion(settings, 27, [...paused(0.1, 0.9, 0.8), ...high])).toEqual({
      number: 6,
      untilEpoch: 9,
    });
  });

  test('of equals is that of the lower number', () => {
    expect(promotion(settings, 27, paused(0.5, 0.5, 0.5).reverse())?.number).toBe(1);
  });

  test('does not take the place of one that is under way, nor go to one that has failed', () => {
    const [first, second, third] = paused(0.9, 0.5, 0.4);
    expect(promotion(settings, 27, [{ ...first!, state: 'running' }, second!, third!])).toBeUndefined();
    expect(promotion(settings, 27, [{ ...first!, state: 'failed' }, second!, third!])).toBeUndefined();
  });

  test('a trial without a report is not known: it neither counts nor is promoted', () => {
    const silent = trial(3, 'paused');
    expect(promotion(settings, 27, [...paused(0.1, 0.3), silent])).toBeUndefined();
    expect(promotion(settings, 27, [...paused(0.1, 0.3), trial(3, 'failed')])).toBeUndefined();
  });

  test('of a bracket is decided among its own trials', () => {
    const two = { ...settings, brackets: 2 };
    const numbers = Array.from({ length: 40 }, (_, i) => i + 1);
    const second = numbers.filter((number) => bracketOf(two, 27, number) === 1).slice(0, 3);
    const first = numbers.filter((number) => bracketOf(two, 27, number) === 0).slice(0, 2);
    const trials = [
      ...second.map((number, i) => trial(number, 'paused', [3, 0.1 * (i + 1)])),
      ...first.map((number) => trial(number, 'paused', [1, 0.9])),
    ];
    expect(promotion(two, 27, trials)).toEqual({ number: second[2], untilEpoch: 9 });
    expect(promotion(two, 27, trials.slice(1))).toBeUndefined();
  });
});

test('brackets have their shares of the trials, however many there are', () => {
  const all = { ...settings, brackets: 4 };
  // 27/4, 9/3, 3/2 and 1 of 12.25.
  const shares = [27 / 4, 9 / 3, 3 / 2, 1].map((share) => share / 12.25);
  for (const count of [10, 100, 1000]) {
    const numbers = Array.from({ length: count }, (_, i) => bracketOf(all, 27, i + 1));
    for (const [bracket, share] of shares.entries()) {
      expect(Math.abs(numbers.filter((one) => one === bracket).length - share * count)).toBeLessThan(3);
    }
  }
});

/** Jobs are got, run and reported in any order: what waits, and its values, as the literal algorithm sees them. */
test('any history is promoted as by algorithm 2 of Li et al., written down literally', () => {
  const move = fc.record({
    kind: fc.constantFrom('get', 'report', 'fail'),
    value: fc.nat(20),
    which: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 120 }), fc.constantFrom(2, 3, 4), (moves, eta) => {
      const its = { minEpochs: 1, eta, brackets: 1 };
      const epochs = eta ** 3;
      const literal = new LiteralAsha(eta, 3);
      let trials: Trial[] = [];
      for (const { kind, value, which } of moves) {
        if (kind === 'get') {
          const next = promotion(its, epochs, trials);
          const job = literal.getJob();
          expect(next ?? 'grow').toEqual(
            job === 'grow' ? job : { number: job.number, untilEpoch: eta ** job.rung },
          );
          trials =
            next === undefined
              ? [...trials, trial(trials.length + 1, 'running')]
              : trials.map((one) => (one.number === next.number ? { ...one, state: 'running' } : one));
          literal.started(next?.number ?? trials.length, job);
          continue;
        }
        const running = trials.filter((one) => one.state === 'running');
        const chosen = running[which % Math.max(running.length, 1)];
        if (chosen === undefined) continue;
        const rung = literal.rungOf(chosen.number);
        const report = { epoch: eta ** rung, value: value / 20 };
        const changed: Trial =
          kind === 'fail'
            ? { ...chosen, state: 'failed' }
            : { ...chosen, state: rung === 3 ? 'succeeded' : 'paused', reports: [...chosen.reports, report] };
        trials = trials.map((one) => (one === chosen ? changed : one));
        if (kind === 'report') literal.report(chosen.number, rung, report.value);
        const next = promotion(its, epochs, trials);
        expect(promotion(its, epochs, trials.toReversed())).toEqual(next);
        const parts = [...Map.groupBy(trials, ({ number }) => (number * which) % 3).values()];
        const standing = parts.map((part) => standings(its, epochs, part));
        expect(nextOf(its, epochs, standing)).toEqual(next);
        if (next === undefined) continue;
        const after = trials.map(
          (one): Trial => (one.number === next.number ? { ...one, state: 'running' } : one),
        );
        expect(nextOf(its, epochs, standing, new Set([next.number]))).toEqual(promotion(its, epochs, after));
      }
    }),
    { numRuns: 300 },
  );
});

class LiteralAsha {
  readonly #eta: number;
  readonly #top: number;
  readonly #rungs: Map<number, number>[];
  readonly #promoted: Set<number>[];
  readonly #under = new Map<number, number>();

  constructor(eta: number, top: number) {
    this.#eta = eta;
    this.#top = top;
    this.#rungs = Array.from({ length: top + 1 }, () => new Map());
    this.#promoted = Array.from({ length: top + 1 }, () => new Set());
  }

  /** Lines 11 to 21; failed ones are given back to nobody. */
  getJob(): { number: number; rung: number } | 'grow' {
    for (let k = this.#top - 1; k >= 0; k--) {
      const rung = [...this.#rungs[k]!].sort(([a, x], [b, y]) => y - x || a - b);
      const candidates = rung.slice(0, Math.floor(rung.length / this.#eta)).map(([number]) => number);
      const promotable = candidates.filter((number) => !this.#promoted[k]!.has(number));
      if (promotable.length > 0) return { number: promotable[0]!, rung: k + 1 };
    }
    return 'grow';
  }

  started(number: number, job: { number: number; rung: number } | 'grow'): void {
    const rung = job === 'grow' ? 0 : job.rung;
    if (rung > 0) this.#promoted[rung - 1]!.add(number);
    this.#under.set(number, rung);
  }

  rungOf(number: number): number {
    return this.#under.get(number)!;
  }

  report(number: number, rung: number, value: number): void {
    this.#rungs[rung]!.set(number, value);
  }
}

describe('the median rule', () => {
  test.each(reference.medians)('stops those that Optuna does: $stops', ({ trials, stops }) => {
    expect(medianStops({ startEpoch: 2, minRuns: 3 }, trials)).toEqual(stops);
  });

  test('a tie goes on, and what has not reported is not known', () => {
    const others = [0.2, 0.4, 0.6].map((value, i) => trial(i + 1, 'succeeded', [1, value], [2, value]));
    const rule = { startEpoch: 1, minRuns: 3 };
    expect(medianStops(rule, [...others, trial(4, 'running', [1, 0.4])])).toEqual([]);
    expect(medianStops(rule, [...others, trial(4, 'running', [1, 0.39])])).toEqual([4]);
    expect(medianStops(rule, [...others, trial(4, 'running')])).toEqual([]);
    expect(medianStops({ ...rule, startEpoch: 2 }, [...others, trial(4, 'running', [1, 0.1])])).toEqual([]);
    expect(medianStops({ ...rule, minRuns: 4 }, [...others, trial(4, 'running', [1, 0.1])])).toEqual([]);
  });
});

test('the best trial has reported the highest value, and has not failed', () => {
  const trials = [
    trial(3, 'stopped', [1, 0.7]),
    trial(2, 'paused', [1, 0.7]),
    trial(1, 'failed', [1, 0.9]),
    trial(4, 'running'),
  ];
  expect(bestTrial(trials)?.number).toBe(2);
  expect(bestTrial([trial(1, 'running')])).toBeUndefined();
});

function paused(...values: readonly number[]): Trial[] {
  return values.map((value, i) => trial(i + 1, 'paused', [1, value]));
}

function trial(
  number: number,
  state: Trial['state'],
  ...reports: readonly (readonly [number, number])[]
): Trial {
  return { number, values: {}, state, reports: reports.map(([epoch, value]) => ({ epoch, value })) };
}
