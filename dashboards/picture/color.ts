import { z } from 'zod';
import type { PanelJson } from '../grafana/schema.ts';
import { seriesPalette, theme } from './theme.ts';

const fixedColor = z.object({ fixedColor: z.string() });

type Named = { readonly name: string };

/** The colour of each, by the panel's overrides, else one after the other from the palette. */
export function colorsOf(panel: PanelJson, series: readonly Named[]): readonly string[] {
  let next = 0;
  return series.map(({ name }) => {
    const own = fixedColor.safeParse(overrideOf(panel, name, 'color'));
    if (own.success) return own.data.fixedColor;
    const color = seriesPalette[next % seriesPalette.length] ?? theme.text;
    next += 1;
    return color;
  });
}

/** What the last override that is for this name says of that property. */
export function overrideOf(panel: PanelJson, name: string, property: string): unknown {
  return panel.fieldConfig.overrides
    .filter(({ matcher }) => isFor(matcher, name))
    .flatMap(({ properties }) => properties)
    .findLast(({ id }) => id === property)?.value;
}

function isFor({ id, options }: { readonly id: string; readonly options?: unknown }, name: string): boolean {
  if (id === 'byName') return options === name;
  const [, pattern, flags] = /^\/(.*)\/(\w*)$/.exec(String(options)) ?? [];
  return id === 'byRegexp' && pattern !== undefined && new RegExp(pattern, flags).test(name);
}

/** The colour of the threshold that a value has reached. */
export function thresholdColor(panel: PanelJson, value: number): string {
  const steps = panel.fieldConfig.defaults.thresholds?.steps ?? [];
  return steps.findLast((step) => step.value === null || value >= step.value)?.color ?? theme.text;
}

/** Yellow to blue, as Grafana's continuous-YlBl. @param share of the way, 0–1 */
export function continuous(share: number): string {
  const from = [250, 222, 42];
  const to = [31, 96, 196];
  const mixed = from.map((start, index) => Math.round(start + ((to[index] ?? 0) - start) * share));
  return `rgb(${mixed.join(',')})`;
}
