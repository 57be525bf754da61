import type { Experiment } from '../api/experiment.ts';

/** How a technique is drawn, everywhere in a report: told apart by colour, and without it by dashes and marks. */
export interface Style {
  readonly color: string;
  /** As in SVG's `stroke-dasharray`. */
  readonly dash: string;
  readonly mark: MarkName;
}

export const markNames = ['square', 'diamond', 'circle', 'up', 'down', 'cross', 'bar', 'star'] as const;
export type MarkName = (typeof markNames)[number];

const solid = 'none';
const teacher: Style = { color: '#1a1a1a', dash: solid, mark: 'square' };
const baseline: Style = { color: '#5f5f5f', dash: '3 3', mark: 'diamond' };

/**
 * Hues of Okabe and Ito, "Color Universal Design" (2008), the light ones darkened until they have a contrast of 3 : 1
 * on white.
 */
const colors = ['#0072b2', '#d55e00', '#008763', '#a8508a', '#a87400', '#2a87b9'];
const dashes = [solid, '8 3', '12 3 2 3', '5 2', '9 2 2 2 2 2', '16 4'];
const marks = markNames.slice(2);

/** The style of each technique, by name: the arms of a spec have theirs in the order of the spec. */
export function stylesOf({ spec }: Experiment): (technique: string) => Style {
  const arms = spec.distillation.map(({ name }) => name);
  return (technique) => {
    if (technique === 'teacher') return teacher;
    if (technique === 'baseline') return baseline;
    // Arms that the spec no longer has come last.
    const index = arms.includes(technique) ? arms.indexOf(technique) : arms.length;
    // Those of one colour have other dashes.
    const round = Math.floor(index / colors.length);
    return { color: nth(colors, index), dash: nth(dashes, index + round), mark: nth(marks, index) };
  };
}

function nth<T>(values: readonly T[], index: number): T {
  const value = values[index % values.length];
  if (value === undefined) throw new RangeError('a list of styles is empty');
  return value;
}
