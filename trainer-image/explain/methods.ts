/** Every method, from images and classes to maps. */
import type { MapName } from '@destillml/core/api/explain.ts';
import { meanImage } from './background.ts';
import { expectedGradients } from './expected-gradients.ts';
import { coalitions, shapleyValues } from './kernel-shap.ts';
import type { Masks } from './least-squares.ts';
import { fitLocalModel, limeDefaults, limeMasks } from './lime.ts';
import type { Probe } from './probe.ts';
import { probabilities } from './softmax.ts';
import type { Additivity, AttributionMap, ExplainedImage } from './subject.ts';
import { masked, meanColours, type Segments, sizesOf } from './superpixels.ts';

/** An image, and what is made of it once, when a method first asks for it. */
export interface PreparedImage {
  readonly image: ExplainedImage;
  segments(): Segments;
  /** Its blurred input, `[size, size, 3]`. */
  blurred(): Float32Array;
}

/** An image and what is asked about it. */
export interface Subject extends PreparedImage {
  /** Class to explain. */
  readonly target: number;
}

export interface MethodSettings {
  /** Images that LIME shows the network for each map. */
  readonly limeSamples: number;
  /** Coalitions that Kernel SHAP shows it, about. */
  readonly kernelShapSamples: number;
  /** Gradients for each map of expected gradients. */
  readonly expectedGradientsSamples: number;
  /**
   * What SHAP compares images with, `[size, size, 3]` each, normalised: Kernel SHAP their mean, expected gradients each of
   * them, so that there may not be more than samples. None: the blurred image itself.
   */
  readonly backgrounds: readonly Float32Array[];
  readonly seed: number;
}

export const methodDefaults: MethodSettings = {
  limeSamples: limeDefaults.samples,
  kernelShapSamples: 1000,
  expectedGradientsSamples: 256,
  backgrounds: [],
  seed: 0,
};

/** Kernel SHAP's sum is right by construction, but for rounding. */
const kernelShapTolerance = 1e-4;
/** Sampling 256 gradients leaves less than this as a rule. */
const expectedGradientsTolerance = 0.02;

/** One map for each subject, in order; `done` is called as each is ready. */
export function mapsOf(
  name: MapName,
  probe: Probe,
  subjects: readonly Subject[],
  settings: MethodSettings,
  done: () => void,
): Promise<AttributionMap[]> {
  switch (name) {
    case 'gradCam':
      return gradCamMaps(probe, subjects, done);
    case 'lime':
      return oneByOne(subjects, done, (subject) => limeMap(probe, subject, settings));
    case 'kernelShap':
      return oneByOne(subjects, done, (subject) => kernelShapMap(probe, subject, settings));
    case 'expectedGradients':
      return expectedGradientsMaps(probe, subjects, settings, done);
  }
}

async function oneByOne(
  subjects: readonly Subject[],
  done: () => void,
  explain: (subject: Subject, index: number) => Promise<AttributionMap>,
): Promise<AttributionMap[]> {
  const maps: AttributionMap[] = [];
  for (const [index, subject] of subjects.entries()) {
    maps.push(await explain(subject, index));
    done();
  }
  return maps;
}

async function gradCamMaps(
  probe: Probe,
  subjects: readonly Subject[],
  done: () => void,
): Promise<AttributionMap[]> {
  const { size, gradCamCells } = probe;
  if (gradCamCells === undefined) throw new RangeError('the probe was opened without gradCam');
  const [rows, columns] = gradCamCells;
  const cells = Int32Array.from({ length: size * size }, (_, pixel) => {
    const row = Math.floor((Math.floor(pixel / size) * rows) / size);
    return row * columns + Math.floor(((pixel % size) * columns) / size);
  });
  const maps: AttributionMap[] = [];
  await probe.gradCam(
    {
      count: subjects.length,
      draw: (index, target) => target.set(subjectAt(subjects, index).image.input),
      target: (index) => subjectAt(subjects, index).target,
    },
    (_, map) => {
      maps.push({ values: map.slice(), cells });
      done();
    },
  );
  return maps;
}

async function limeMap(probe: Probe, subject: Subject, settings: MethodSettings): Promise<AttributionMap> {
  const { image, target } = subject;
  const segments = subject.segments();
  const masks = limeMasks(segments.count, settings.limeSamples, settings.seed);
  const hidden = meanColours(image.input, segments);
  const logits = await probe.logits(masked(image.input, hidden, segments, masks));
  const model = fitLocalModel(masks, probabilities(logits, probe.classes, target), limeDefaults);
  return { ...painted(segments, model.coefficients), r2: model.r2 };
}

async function kernelShapMap(
  probe: Probe,
  subject: Subject,
  settings: MethodSettings,
): Promise<AttributionMap> {
  const { image, target } = subject;
  const segments = subject.segments();
  const { backgrounds, kernelShapSamples, seed } = settings;
  const hidden = backgrounds.length > 0 ? meanImage(backgrounds) : subject.blurred();
  const asked = coalitions(segments.count, kernelShapSamples, seed);
  const logits = await probe.logits(masked(image.input, hidden, segments, withEnds(asked.masks)));
  const [empty = 0, full = 0, ...values] = Array.from(
    { length: logits.length / probe.classes },
    (_, row) => logits[row * probe.classes + target] ?? Number.NaN,
  );
  const found = shapleyValues(asked, values, empty, full);
  const sizes = sizesOf(segments);
  const map = painted(
    segments,
    found.map((value, label) => value / (sizes[label] ?? 1)),
  );
  return { ...map, additivity: additivity(map.values, full - empty, kernelShapTolerance) };
}

async function expectedGradientsMaps(
  probe: Probe,
  subjects: readonly Subject[],
  settings: MethodSettings,
  done: () => void,
): Promise<AttributionMap[]> {
  const backgroundsOf = ({ blurred }: Subject) =>
    settings.backgrounds.length > 0 ? settings.backgrounds : [blurred()];
  const cells = Int32Array.from({ length: probe.size ** 2 }, (_, pixel) => pixel);
  const differences = await logitDifferences(probe, subjects, backgroundsOf);
  return oneByOne(subjects, done, async (subject, index) => {
    const attributions = await expectedGradients(probe, subject.image.input, {
      target: subject.target,
      backgrounds: backgroundsOf(subject),
      samples: settings.expectedGradientsSamples,
      seed: settings.seed,
    });
    const values = Float32Array.from(
      cells,
      (pixel) =>
        (attributions[3 * pixel] ?? 0) +
        (attributions[3 * pixel + 1] ?? 0) +
        (attributions[3 * pixel + 2] ?? 0),
    );
    const difference = differences[index] ?? Number.NaN;
    return { values, cells, additivity: additivity(values, difference, expectedGradientsTolerance) };
  });
}

/** f(x) − mean f(background) of every subject, all asked at once. */
async function logitDifferences(
  probe: Probe,
  subjects: readonly Subject[],
  backgroundsOf: (subject: Subject) => readonly Float32Array[],
): Promise<number[]> {
  const groups = subjects.map((subject) => [subject.image.input, ...backgroundsOf(subject)]);
  const images = groups.flat();
  const logits = await probe.logits({
    count: images.length,
    draw: (index, target) => target.set(images[index] ?? []),
  });
  let next = 0;
  return groups.map((group, subject) => {
    const target = subjectAt(subjects, subject).target;
    const [full = 0, ...empty] = group.map(() => logits[next++ * probe.classes + target] ?? Number.NaN);
    return full - empty.reduce((sum, value) => sum + value, 0) / empty.length;
  });
}

/** How well a map sums to `difference`, in logits. */
export function additivity(values: Float32Array, difference: number, tolerance: number): Additivity {
  const sum = values.reduce((total, value) => total + value, 0);
  const size = values.reduce((total, value) => total + Math.abs(value), 0);
  const error = Math.abs(sum - difference) / (size || 1);
  return { sum, difference, error, holds: error <= tolerance };
}

/** Every pixel with the value of its superpixel. */
function painted({ labels }: Segments, values: Float64Array): AttributionMap {
  return { values: Float32Array.from(labels, (label) => values[label] ?? 0), cells: labels };
}

/** The masks after one of nothing and one of everything. */
function withEnds({ rows, columns, values }: Masks): Masks {
  const all = new Uint8Array((rows + 2) * columns);
  all.fill(1, columns, 2 * columns);
  all.set(values, 2 * columns);
  return { rows: rows + 2, columns, values: all };
}

function subjectAt(subjects: readonly Subject[], index: number): Subject {
  const subject = subjects[index];
  if (subject === undefined) throw new RangeError(`no image ${index}`);
  return subject;
}
