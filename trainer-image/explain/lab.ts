/** White point D65 of the 2° observer, in XYZ. */
const white = [0.95047, 1, 1.08883] as const;

/**
 * RGB as CIE L*a*b*, in which distances are about those that eyes see: L 0 – 100, a and b about −100 – 100.
 *
 * @param rgb sRGB, 0 – 1, `[n, 3]`.
 * @returns `[n, 3]`.
 */
export function toLab(rgb: Float64Array): Float64Array {
  const lab = new Float64Array(rgb.length);
  for (let i = 0; i < rgb.length; i += 3) {
    const r = linear(rgb[i] ?? 0);
    const g = linear(rgb[i + 1] ?? 0);
    const b = linear(rgb[i + 2] ?? 0);
    const x = curve((0.412453 * r + 0.35758 * g + 0.180423 * b) / white[0]);
    const y = curve((0.212671 * r + 0.71516 * g + 0.072169 * b) / white[1]);
    const z = curve((0.019334 * r + 0.119193 * g + 0.950227 * b) / white[2]);
    lab.set([116 * y - 16, 500 * (x - y), 200 * (y - z)], i);
  }
  return lab;
}

/** sRGB's transfer curve, undone: 0 – 1 → 0 – 1. */
function linear(value: number): number {
  return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
}

function curve(value: number): number {
  return value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116;
}
