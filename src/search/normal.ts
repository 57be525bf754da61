/**
 * The share of a standard normal distribution between two points; relative error below 10⁻¹³ in the tails, too.
 * No point may be NaN; `from` ≤ `to`.
 */
export function normalMass(from: number, to: number): number {
  // In the right tail both shares below are nearly 1: there the mirrored interval is measured.
  if (from > 0) return normalMass(-to, -from);
  if (to <= 0 || from >= 0) return upper(-to) - upper(-from);
  // Tails that are less than half of the last digit of 1 are none.
  return 1 - (from < -8.3 ? 0 : upper(-from)) - (to > 8.3 ? 0 : upper(to));
}

const logRoot = 0.5 * Math.log(2 * Math.PI);

/**
 * log of the share of a standard normal distribution within half a width of a point; relative error of the share below
 * 10⁻¹⁰. Where the width is little the density hardly bends, and is expanded: that takes no exponential.
 */
export function logMassAround(point: number, width: number): number {
  const [x, w] = [point * point, width * width];
  if (w > 0.0625 || x * w > 0.25) return Math.log(normalMass(point - width / 2, point + width / 2));
  // Hermite's polynomials, as the density is derived.
  const bend = (w / 24) * (x - 1 + (w / 80) * (x * (x - 6) + 3 + (w / 168) * (x * (x * (x - 15) + 45) - 15)));
  return Math.log(width) - logRoot - 0.5 * x + Math.log1p(bend);
}

/**
 * The point of [low, high], in standard deviations, that a share of the normal distribution between them lies below:
 * by Newton's method, and by halving where that would leave what is known of it.
 */
export function truncatedQuantile(share: number, low: number, high: number): number {
  // The shares of the right tail are too near to 1 to tell them apart.
  if (low > 0) return -truncatedQuantile(1 - share, -high, -low);
  const goal = upper(-low) + share * normalMass(low, high);
  let [from, to] = [low, high];
  let point = Math.min(Math.max(0, low), high);
  for (let i = 0; i < 60; i++) {
    const excess = upper(-point) - goal;
    if (excess > 0) to = point;
    else from = point;
    const step = (excess / Math.exp(-0.5 * point * point)) * Math.sqrt(2 * Math.PI);
    const next = point - step;
    const before = point;
    point = next > from && next < to ? next : (from + to) / 2;
    if (Math.abs(point - before) <= 1e-12 * (1 + Math.abs(point))) break;
  }
  return point;
}

/** The share above a point: ½ erfc(x / √2), by a Chebyshev series for log(erfc(z) exp(z²) / t), t = 2 / (2 + z). */
function upper(point: number): number {
  // Less than the least number.
  if (point > 38.6) return 0;
  const z = Math.abs(point) * Math.SQRT1_2;
  const t = 2 / (2 + z);
  const x = 4 * t - 2;
  let [before, sum] = [0, 0];
  for (let i = series.length - 1; i > 0; i--) {
    const next = x * sum - before + (series[i] ?? 0);
    before = sum;
    sum = next;
  }
  const tail = 0.5 * t * Math.exp(-z * z + 0.5 * (first + x * sum) - before);
  return point >= 0 ? tail : 1 - tail;
}

/** Computed with 40 digits from the definition: test/reference/search.py. */
const first = -1.3026537197817094;
const series = [
  first,
  0.6419697923564902,
  0.019476473204185836,
  -0.009561514786808632,
  -0.0009465953444820369,
  0.00036683949785276145,
  4.252332480690777e-5,
  -2.0278578112534242e-5,
  -1.6242900046470254e-6,
  1.3036558355805232e-6,
  1.5626441722066142e-8,
  -8.523809591492654e-8,
  6.5290544390988515e-9,
  5.059343495551469e-9,
  -9.91364156493033e-10,
  -2.273651222931836e-10,
  9.646791102015527e-11,
  2.3940380830391146e-12,
  -6.886027526497553e-12,
  8.944879273090725e-13,
  3.130921399342958e-13,
  -1.1270822361367252e-13,
  3.810905255189232e-16,
  7.106097613609237e-15,
  -1.523028201457104e-15,
];
