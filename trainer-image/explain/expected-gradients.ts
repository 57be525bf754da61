/**
 * Expected gradients: Erion et al., "Improving performance of deep learning models with axiomatic attribution priors and
 * expected gradients", Nature Machine Intelligence 2021, equation 3:
 * φ = E over backgrounds x′ and t in [0, 1] of (x − x′) · ∇f(x′ + t·(x − x′)). With one background it is integrated
 * gradients (Sundararajan, Taly and Yan, ICML 2017).
 */
import { uniform } from '../nn/random.ts';
import type { Probe } from './probe.ts';

/** Tells these draws from others of the same seed. */
const gradientStream = 0x67_72_61_64;

export interface ExpectedGradientsOptions {
  /** Class whose logit is f. */
  readonly target: number;
  /** x′, `[size, size, 3]` each, at least one. */
  readonly backgrounds: readonly Float32Array[];
  /** Gradients computed; at least one for every background. */
  readonly samples: number;
  readonly seed: number;
}

/**
 * Attributions `[size, size, 3]` in logits, which sum to f(x) − mean f(x′) but for the error of sampling.
 *
 * Backgrounds take turns, and the t of each one are drawn one from every equal part of [0, 1] (stratified sampling): as
 * free of bias as independent draws, and much closer. Every background weighs the same, also where some have one more.
 *
 * @param image x, `[size, size, 3]`, normalised.
 * @throws RangeError if there are fewer samples than backgrounds.
 */
export async function expectedGradients(
  probe: Probe,
  image: Float32Array,
  { target, backgrounds, samples, seed }: ExpectedGradientsOptions,
): Promise<Float32Array> {
  if (samples < backgrounds.length) {
    throw new RangeError(`${samples} samples are fewer than the ${backgrounds.length} backgrounds`);
  }
  const backgroundOf = (index: number) => backgrounds[index % backgrounds.length] ?? image;
  /** How many gradients the background of one is given. */
  const partsOf = (index: number) => Math.ceil((samples - (index % backgrounds.length)) / backgrounds.length);
  const mean = new Float64Array(image.length);
  await probe.gradients(
    {
      count: samples,
      target: () => target,
      draw(index, point) {
        const background = backgroundOf(index);
        const part = Math.floor(index / backgrounds.length);
        const t = (part + uniform(seed, index, gradientStream)) / partsOf(index);
        for (let i = 0; i < point.length; i++) {
          const from = background[i] ?? 0;
          point[i] = from + t * ((image[i] ?? 0) - from);
        }
      },
    },
    (index, gradient) => {
      const background = backgroundOf(index);
      const share = 1 / (backgrounds.length * partsOf(index));
      for (let i = 0; i < mean.length; i++) {
        const difference = (image[i] ?? 0) - (background[i] ?? 0);
        mean[i] = (mean[i] ?? 0) + share * (gradient[i] ?? 0) * difference;
      }
    },
  );
  return Float32Array.from(mean);
}
