/** Explains what networks see in images: N networks × M images × methods. */
import type { ExplanationMethod, MapName } from '@destillml/core/api/explain.ts';
import { blurred } from './background.ts';
import { type Faithfulness, faithfulness, randomMap } from './faithfulness.ts';
import { type MethodSettings, mapsOf, methodDefaults, type PreparedImage, type Subject } from './methods.ts';
import { openProbe, type Probe } from './probe.ts';
import { type SegmentationName, segment } from './segmentation.ts';
import { probabilities } from './softmax.ts';
import {
  type AttributionMap,
  type ClassChoice,
  checkSizes,
  chosenClass,
  type ExplainedImage,
  type ExplainedNetwork,
} from './subject.ts';

export interface ExplainOptions extends Partial<MethodSettings> {
  readonly methods: readonly ExplanationMethod[];
  /** Default: each network's own prediction. */
  readonly target?: ClassChoice;
  /** Stage that Grad-CAM looks at, counted from 1; default: see `defaultStage`. */
  readonly stage?: number;
  readonly segmentation?: SegmentationName;
  /** Measure insertion and deletion, too: 132 more images for every map. */
  readonly faithfulness?: boolean;
}

export interface ExplainDeps {
  readonly progress?: (progress: ExplainProgress) => void;
  readonly signal?: AbortSignal;
}

/** Told after every map, and after every image whose maps are measured. */
export interface ExplainProgress {
  readonly network: string;
  readonly work: MapName | 'faithfulness';
  /** Steps of all networks. */
  readonly done: number;
  readonly total: number;
  /** Whether the network is explained by now. */
  readonly isLast: boolean;
}

/** What one network makes of one image. */
export interface Explanation {
  readonly prediction: number;
  /** Probability of the predicted class, 0 – 1. */
  readonly confidence: number;
  /** The class that is explained. */
  readonly target: number;
  readonly maps: Readonly<Partial<Record<MapName, AttributionMap>>>;
  readonly faithfulness?: Readonly<Partial<Record<MapName, MeasuredFaithfulness>>>;
}

export interface MeasuredFaithfulness {
  readonly map: Faithfulness;
  /** Of a random map of the same resolution. */
  readonly random: Faithfulness;
}

export interface ExplainedBy {
  readonly network: string;
  /** In the order of the images. */
  readonly explanations: readonly Explanation[];
}

/**
 * Explains every image by every network; networks are opened one after another.
 *
 * The same superpixels, samples and seeds are used for all networks, so that their maps differ by what the networks are.
 *
 * @throws DestillError `InvalidSpec` where the class to explain or the stage does not exist, `CheckpointUnusable` from a
 * network.
 * @throws RangeError where an image has another size than a network, or backgrounds are more than samples.
 */
export async function explain(
  networks: readonly ExplainedNetwork[],
  images: readonly ExplainedImage[],
  options: ExplainOptions,
  { progress, signal }: ExplainDeps = {},
): Promise<ExplainedBy[]> {
  const names = options.methods.flatMap(mapsOfMethod);
  const perNetwork = stepsFor(images.length, options);
  const total = networks.length * perNetwork;
  const prepared = images.map((image) => prepare(image, options.segmentation));

  const results: ExplainedBy[] = [];
  let done = 0;
  for (const network of networks) {
    const report = (work: ExplainProgress['work']) => {
      done += 1;
      progress?.({ network: network.name, work, done, total, isLast: done % perNetwork === 0 });
    };
    checkSizes(images, network.imageSize);
    const probe = openProbe(network, {
      stage: options.stage,
      gradients: names.includes('expectedGradients'),
      gradCam: names.includes('gradCam'),
      signal,
    });
    try {
      const seen = await predictions(probe, images);
      const subjects = prepared.map((image, index): Subject => {
        const prediction = seen[index]?.prediction ?? 0;
        const choice = options.target ?? 'prediction';
        return { ...image, target: chosenClass(choice, image.image, index, prediction, network.classes) };
      });
      const maps: [MapName, readonly AttributionMap[]][] = [];
      for (const map of names) {
        const settings = { ...methodDefaults, ...options };
        maps.push([map, await mapsOf(map, probe, subjects, settings, () => report(map))]);
      }
      const measured = options.faithfulness
        ? await measure(probe, subjects, maps, options.seed ?? methodDefaults.seed, () =>
            report('faithfulness'),
          )
        : [];
      const explanations = subjects.map(({ target }, index): Explanation => {
        const found = seen[index] ?? { prediction: 0, confidence: Number.NaN };
        const faithfulness = measured[index];
        const own = Object.fromEntries(maps.map(([name, all]) => [name, all[index]]));
        return { ...found, target, maps: own, ...(faithfulness && { faithfulness }) };
      });
      results.push({ network: network.name, explanations });
    } finally {
      probe.dispose();
    }
  }
  return results;
}

/** Steps of progress that one network takes. */
export function stepsFor(images: number, { methods, faithfulness }: ExplainOptions): number {
  return images * (methods.flatMap(mapsOfMethod).length + (faithfulness ? 1 : 0));
}

/** What all networks and methods share. */
function prepare(image: ExplainedImage, segmentation: SegmentationName | undefined): PreparedImage {
  const size = Math.sqrt(image.pixels.length / 3);
  return {
    image,
    segments: once(() => segment(image.pixels, size, segmentation)),
    blurred: once(() => blurred(image.input, size)),
  };
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function mapsOfMethod(method: ExplanationMethod): readonly MapName[] {
  return method === 'shap' ? ['expectedGradients', 'kernelShap'] : [method];
}

async function predictions(probe: Probe, images: readonly ExplainedImage[]) {
  const logits = await probe.logits({
    count: images.length,
    draw: (index, target) => target.set(images[index]?.input ?? []),
  });
  return images.map((_, index) => {
    const row = logits.subarray(index * probe.classes, (index + 1) * probe.classes);
    const prediction = row.indexOf(Math.max(...row));
    return { prediction, confidence: probabilities(row, probe.classes, prediction)[0] ?? Number.NaN };
  });
}

/** Faithfulness of every map of every image. */
async function measure(
  probe: Probe,
  subjects: readonly Subject[],
  maps: readonly [MapName, readonly AttributionMap[]][],
  seed: number,
  done: () => void,
): Promise<Partial<Record<MapName, MeasuredFaithfulness>>[]> {
  const measured: Partial<Record<MapName, MeasuredFaithfulness>>[] = [];
  for (const [index, { image, target, blurred }] of subjects.entries()) {
    const followed = { input: image.input, blurred: blurred(), target };
    // Maps of the same cells have the same random map.
    const randoms = new Map<Int32Array, Faithfulness>();
    const found: Partial<Record<MapName, MeasuredFaithfulness>> = {};
    for (const [name, all] of maps) {
      const map = all[index];
      if (map === undefined) continue;
      const random =
        randoms.get(map.cells) ?? (await faithfulness(probe, followed, randomMap(map.cells, seed, index)));
      randoms.set(map.cells, random);
      found[name] = { map: await faithfulness(probe, followed, map.values), random };
    }
    measured.push(found);
    done();
  }
  return measured;
}
