import { formatPoints } from './format.ts';
import type { Gain } from './row.ts';

/**
 * Whether a gain is more than the luck of its seeds. noise: its 95 % interval holds 0. unknown: there is no interval,
 * as of one seed.
 */
export type Verdict = 'gain' | 'loss' | 'noise' | 'unknown';

export function verdictOf({ confidence }: Gain): Verdict {
  if (confidence === undefined) return 'unknown';
  if (confidence.low <= 0 && confidence.high >= 0) return 'noise';
  return confidence.low > 0 ? 'gain' : 'loss';
}

/** The mean in points, with a sign where it is not to be taken at its word: `+1.4`, `+0.3~` within noise, `+1.4?` not known. */
export function markedGain(gain: Gain): string {
  const marks: Readonly<Record<Verdict, string>> = { gain: '', loss: '', noise: '~', unknown: '?' };
  return `${formatPoints(gain.mean)}${marks[verdictOf(gain)]}`;
}

/** The interval in points: `+0.4 … +2.4`. */
export function intervalText({ confidence }: Gain): string | undefined {
  return confidence && `${formatPoints(confidence.low)} … ${formatPoints(confidence.high)}`;
}

/** What is said of a gain beside its mean. */
export function verdictText(gain: Gain): string {
  const interval = intervalText(gain);
  const seeds = `${gain.seeds.length} ${gain.seeds.length === 1 ? 'seed' : 'seeds'}`;
  if (interval === undefined) return `not known whether it is more than noise, of ${seeds}`;
  const adjusted = gain.pAdjusted === undefined ? '' : `, p ${probabilityText(gain.pAdjusted)}`;
  const within = verdictOf(gain) === 'noise' ? 'within noise, ' : '';
  return `${within}95 % interval ${interval} of ${seeds}${adjusted}`;
}

/** A probability as people write it: `0.03`, `< 0.001`. */
export function probabilityText(p: number): string {
  return p < 0.001 ? '< 0.001' : String(Number(p.toPrecision(2)));
}
