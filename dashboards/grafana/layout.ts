export type Size = { readonly width: number; readonly height: number };
export type Place = { readonly x: number; readonly y: number; readonly w: number; readonly h: number };

/** Columns of Grafana's grid. */
export const columns = 24;

/**
 * Puts panels side by side from the left, below each other where there is no more room; none is taller than its line.
 *
 * @param top where the first line is
 * @throws RangeError if a panel is wider than the grid
 */
export function flow(
  sizes: readonly Size[],
  top: number,
): { readonly places: readonly Place[]; readonly bottom: number } {
  const places: Place[] = [];
  let x = 0;
  let y = top;
  let lineHeight = 0;
  for (const { width, height } of sizes) {
    if (width > columns) throw new RangeError(`a panel has ${width} columns, and the grid ${columns}`);
    if (x + width > columns) {
      x = 0;
      y += lineHeight;
      lineHeight = 0;
    }
    places.push({ x, y, w: width, h: height });
    x += width;
    lineHeight = Math.max(lineHeight, height);
  }
  return { places, bottom: y + lineHeight };
}
