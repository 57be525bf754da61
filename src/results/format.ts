import type { Spread } from '../plan/spread.ts';

/** A count as `0.27 M`, `42.7 M` or, below 10,000, `5.2 k`. */
export function formatCount(count: number): string {
  if (count >= 9_995_000) return `${(count / 1e6).toFixed(1)} M`;
  if (count >= 10_000) return `${(count / 1e6).toFixed(2)} M`;
  return count >= 1000 ? `${(count / 1e3).toFixed(1)} k` : String(count);
}

/** Shares as percent: `91.2 ± 0.3 %`, or `91.2 %` where there is no deviation. */
export function formatAccuracy({ mean, standardDeviation }: Spread): string {
  const deviation = standardDeviation === undefined ? '' : ` ± ${(100 * standardDeviation).toFixed(1)}`;
  return `${(100 * mean).toFixed(1)}${deviation} %`;
}

/** A difference of shares in percentage points: `+1.4`, `−0.3`. */
export function formatPoints(difference: number): string {
  const text = (100 * Math.abs(difference)).toFixed(1);
  return difference < 0 && Number(text) !== 0 ? `−${text}` : `+${text}`;
}

/** A measure without a unit: `0.53 ± 0.04`, or `−0.53` where there is no deviation. */
export function formatSpread({ mean, standardDeviation }: Spread): string {
  return `${hundredths(mean)}${standardDeviation === undefined ? '' : ` ± ${hundredths(standardDeviation)}`}`;
}

/** What was measured, and in parentheses what chance gives, where that is known: `0.53 (0.41)`. */
export function formatAgainst(measured: Spread, random: Spread | undefined): string {
  return `${hundredths(measured.mean)}${random === undefined ? '' : ` (${hundredths(random.mean)})`}`;
}

function hundredths(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A share as whole percent: `35 %`, `−12 %`. */
export function formatPercent(share: number): string {
  const percent = Math.round(100 * share);
  return `${percent < 0 ? '−' : ''}${Math.abs(percent)} %`;
}

/** A part as percent, however small: `10 %`, `0.4 %`, `33.3 %`. */
export function formatShare(fraction: number): string {
  return `${Number((100 * fraction).toPrecision(3))} %`;
}

/** A time as `42 s`, `1 min 12 s`, `3 h 05 min` or `2 d 3 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
