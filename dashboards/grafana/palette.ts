/**
 * Colours that people with any kind of colour vision tell apart: Okabe and Ito, "Color Universal Design" (2008).
 *
 * They are readable on Grafana's dark and light themes; black, which is not, is left out, and Tol's pale grey added.
 */
export const palette = {
  blue: '#0072B2',
  sky: '#56B4E9',
  green: '#009E73',
  yellow: '#F0E442',
  orange: '#E69F00',
  vermilion: '#D55E00',
  purple: '#CC79A7',
  grey: '#999999',
  pale: '#DDDDDD',
} as const;

export type Color = (typeof palette)[keyof typeof palette];

/** What is good, what to look at, what is broken: told apart by lightness too. */
export const states = { good: palette.sky, warning: palette.orange, bad: palette.vermilion } as const;

/** One colour for each phase of a Run, the same on every dashboard. */
export const phaseColors = {
  Waiting: palette.grey,
  Queued: palette.yellow,
  Starting: palette.sky,
  Running: palette.blue,
  Paused: palette.pale,
  Succeeded: palette.green,
  Failed: palette.vermilion,
  Stopped: palette.orange,
  Skipped: palette.purple,
} as const;

export const roleColors = {
  teacher: palette.purple,
  baseline: palette.grey,
  distilled: palette.blue,
} as const;

/**
 * Series of roles, and of arms that are named after their technique, as the examples name them: /pattern/ to colour.
 *
 * Grafana gives other arms a colour of its own. Later ones win.
 */
export const seriesColors: readonly (readonly [pattern: string, color: Color])[] = [
  ['teacher', roleColors.teacher],
  ['baseline', roleColors.baseline],
  ['soft', palette.orange],
  ['similarity', palette.green],
  ['attention', palette.sky],
  ['hint', palette.vermilion],
  ['attention.*soft|soft.*attention', palette.yellow],
];
