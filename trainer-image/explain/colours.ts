/** Maps as colours over the image in grey. */

/** Red, green and blue, 0 – 255. */
type Colour = readonly [number, number, number];

/** From nothing to most: the colour map "inferno", at equal distances. */
const heat: readonly Colour[] = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];
/** For and against a class; to be told apart by those who do not see red and green, too. */
const positive: Colour = [202, 0, 32];
const negative: Colour = [5, 113, 176];

const strongest = 0.85;
/** Share of the largest values that have the full colour: a single outlier would leave the rest pale. */
const saturated = 0.01;

/**
 * A map from 0 to 1 as heat.
 *
 * @param pixels `[n, 3]`, 0 – 255.
 * @param values `[n]`.
 * @returns `[n, 3]`.
 */
export function heatMap(pixels: Uint8Array, values: Float32Array): Uint8Array {
  return blended(pixels, values, (value) => [heatAt(value), 0.25 + 0.5 * value]);
}

/** A map of evidence, red for and blue against the class; scaled by its own largest values. */
export function evidenceMap(pixels: Uint8Array, values: Float32Array): Uint8Array {
  const sizes = values.map(Math.abs).sort();
  const scale = sizes[Math.floor((1 - saturated) * (sizes.length - 1))] || sizes.at(-1) || 1;
  return blended(pixels, values, (value) => [
    value > 0 ? positive : negative,
    strongest * Math.min(1, Math.abs(value) / scale),
  ]);
}

function blended(
  pixels: Uint8Array,
  values: Float32Array,
  paint: (value: number) => readonly [Colour, opacity: number],
): Uint8Array {
  const painted = new Uint8Array(pixels.length);
  for (const [pixel, value] of values.entries()) {
    const [r = 0, g = 0, b = 0] = pixels.subarray(3 * pixel, 3 * pixel + 3);
    // Lighter than the image, so that colours show on black, too.
    const grey = 140 + 0.4 * (0.299 * r + 0.587 * g + 0.114 * b);
    const [colour, opacity] = paint(value);
    painted.set(
      colour.map((channel) => Math.round((1 - opacity) * grey + opacity * channel)),
      3 * pixel,
    );
  }
  return painted;
}

function heatAt(value: number): Colour {
  const position = Math.max(0, Math.min(1, value)) * (heat.length - 1);
  const below: Colour = heat[Math.floor(position)] ?? [0, 0, 0];
  const above = heat[Math.ceil(position)] ?? below;
  const share = position % 1;
  const mixed = (channel: 0 | 1 | 2) => (1 - share) * below[channel] + share * above[channel];
  return [mixed(0), mixed(1), mixed(2)];
}
