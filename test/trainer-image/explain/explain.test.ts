import { mapNames } from '@destillml/core/api/explain.ts';
import { trainedNetwork } from '@destillml/trainer/artifacts/trained-network.ts';
import { agreement } from '@destillml/trainer/explain/agreement.ts';
import {
  type ExplainedBy,
  type ExplainOptions,
  type ExplainProgress,
  explain,
} from '@destillml/trainer/explain/explain.ts';
import { agreementOf, qualityOf } from '@destillml/trainer/explain/quality.ts';
import { randomised, sanityChecks } from '@destillml/trainer/explain/sanity.ts';
import {
  type ExplainedImage,
  type ExplainedNetwork,
  explainedImage,
} from '@destillml/trainer/explain/subject.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { size, testImages, trained } from './trained.ts';

const all: ExplainOptions = { methods: ['gradCam', 'lime', 'shap'], faithfulness: true, seed: 1 };
/** What is quick, where it does not matter how good the maps are. */
const quick: ExplainOptions = {
  methods: ['gradCam', 'lime', 'shap'],
  limeSamples: 60,
  kernelShapSamples: 100,
  expectedGradientsSamples: 16,
};

let images: ExplainedImage[];
let networks: ExplainedNetwork[];
let accuracy: number;
let artifacts: string;
let explained: ExplainedBy[];
const progress: ExplainProgress[] = [];

beforeAll(async () => {
  const [one, two] = [await trained(3), await trained(4)];
  ({ accuracy, artifacts } = one);
  networks = [
    { name: 'one', ...trainedNetwork(one.artifacts) },
    { name: 'two', ...trainedNetwork(two.artifacts) },
  ];
  images = await testImages(8);
  explained = await explain(networks, images, all, { progress: (each) => progress.push(each) });
});

const first = () => explained[0]!;

describe('explain', () => {
  it('has a map for every network, image and method', () => {
    expect(explained.map(({ network }) => network)).toEqual(['one', 'two']);
    for (const { explanations } of explained) {
      expect(explanations).toHaveLength(8);
      for (const { maps } of explanations) {
        expect(Object.keys(maps).sort()).toEqual([...mapNames].sort());
        for (const { values, cells } of Object.values(maps)) {
          expect([values.length, cells.length]).toEqual([size ** 2, size ** 2]);
          expect(values.every(Number.isFinite)).toBe(true);
          expect(values.some((value) => value !== 0)).toBe(true);
        }
      }
    }
  });

  it('explains networks with their trained weights', () => {
    expect(accuracy).toBeGreaterThan(0.8);
    const right = first().explanations.filter(({ prediction }, index) => prediction === images[index]!.label);
    expect(right.length).toBeGreaterThanOrEqual(6);
    expect(first().explanations.every(({ confidence }) => confidence > 0.1 && confidence <= 1)).toBe(true);
  });

  it('gives Grad-CAM from 0 to 1, and evidence for and against the class by the others', () => {
    const values = (name: (typeof mapNames)[number]) =>
      first().explanations.flatMap(({ maps }) => [...maps[name]!.values]);
    expect(Math.min(...values('gradCam'))).toBe(0);
    expect(Math.max(...values('gradCam'))).toBeCloseTo(1, 5);
    for (const name of ['lime', 'expectedGradients', 'kernelShap'] as const) {
      expect(Math.min(...values(name))).toBeLessThan(0);
      expect(Math.max(...values(name))).toBeGreaterThan(0);
    }
  });

  it('checks that SHAP adds up to the difference from the background', () => {
    for (const { maps } of explained.flatMap(({ explanations }) => explanations)) {
      expect(maps.kernelShap!.additivity).toMatchObject({ holds: true });
      expect(maps.expectedGradients!.additivity).toMatchObject({ holds: true });
      // Two ways to the same difference.
      const [one, other] = [maps.kernelShap!.additivity!, maps.expectedGradients!.additivity!];
      expect(one.difference).toBeCloseTo(other.difference, 3);
    }
  });

  it('tells how much LIME’s local model explains', () => {
    const found = first().explanations.map(({ maps }) => maps.lime!.r2!);
    expect(found.every((r2) => r2 > 0.1 && r2 <= 1)).toBe(true);
  });

  it('reports each map once, and each image whose maps are measured, in order', () => {
    expect(progress.map(({ done }) => done)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    expect(progress.every(({ total }) => total === 80)).toBe(true);
    expect(progress[31]).toMatchObject({ network: 'one', work: 'kernelShap', isLast: false });
    expect(progress[39]).toMatchObject({ network: 'one', work: 'faithfulness', isLast: true });
    expect(progress[40]).toMatchObject({ network: 'two', work: 'gradCam', isLast: false });
  });

  it('explains an image alone as among others', async () => {
    const [alone] = await explain([networks[1]!], [images[5]!], all);
    const among = explained[1]!.explanations[5]!;
    for (const name of mapNames) {
      const pair = [alone!.explanations[0]!.maps[name]!.values, among.maps[name]!.values] as const;
      expect(agreement([pair]).spearman.mean).toBeGreaterThan(0.999);
    }
  });

  it('compares with chosen backgrounds', async () => {
    const backgrounds = images.slice(4).map(({ input }) => input);
    const options: ExplainOptions = {
      ...quick,
      methods: ['shap'],
      backgrounds,
      expectedGradientsSamples: 256,
    };
    const [found] = await explain([networks[0]!], images.slice(0, 2), options);
    for (const [index, { maps }] of found!.explanations.entries()) {
      expect(maps.expectedGradients!.additivity!.holds).toBe(true);
      const before = first().explanations[index]!.maps.expectedGradients!.additivity!.difference;
      expect(maps.expectedGradients!.additivity!.difference).not.toBeCloseTo(before, 2);
    }
  });

  it('keeps no tensors', async () => {
    const before = tf.memory().numTensors;
    await explain([networks[0]!], images.slice(0, 1), quick);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('divides images only for methods that ask for superpixels', async () => {
    const segmentation = 'a way that would throw' as 'slic';
    const ask = (methods: ExplainOptions['methods']) =>
      explain([networks[0]!], images.slice(0, 1), { ...quick, methods, segmentation });
    await expect(ask(['gradCam'])).resolves.toHaveLength(1);
    await expect(ask(['lime'])).rejects.toThrow(TypeError);
  });

  it('stops when told to', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const stopping = explain(networks, images, quick, {
      progress: ({ done }) => done === 10 && controller.abort(),
      signal: controller.signal,
    });
    await expect(stopping).rejects.toThrow('aborted');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names the folder where there is no network', () => {
    expect(() => trainedNetwork('/nowhere')).toThrow('/nowhere/checkpoints/best.safetensors does not exist');
  });

  it('keeps no tensors of a checkpoint that does not fit', () => {
    const before = tf.memory().numTensors;
    expect(() => trainedNetwork(artifacts, { classes: 5 }).open()).toThrow(
      'resnet8 for 10 classes at 16 px; resnet8 for 5 classes at 16 px is asked for',
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it('explains larger images by a network made for them', async () => {
    const large = explainedImage(
      'large',
      Uint8Array.from({ length: 96 * 96 * 3 }, (_, i) => (i * i) % 251),
    );
    const network = { name: 'large', model: 'resnet8' as const, classes: 5, imageSize: 96 };
    const [found] = await explain([randomised({ ...network, open: unopened }, 1)], [large], quick);
    expect(found!.explanations[0]!.maps.gradCam!.values).toHaveLength(96 ** 2);
  });
});

function unopened(): never {
  throw new Error('opened');
}

describe('the class to explain', () => {
  const gradCam: ExplainOptions = { methods: ['gradCam'] };
  const targets = async (target: ExplainOptions['target'] & {}) => {
    const [found] = await explain([networks[0]!], images, { ...gradCam, target });
    return found!.explanations.map((each) => each.target);
  };

  it('is the prediction, the label, one class, or one for each image', async () => {
    expect(first().explanations.map(({ target }) => target)).toEqual(
      first().explanations.map(({ prediction }) => prediction),
    );
    expect(await targets('label')).toEqual(images.map(({ label }) => label));
    expect(await targets(7)).toEqual(Array(8).fill(7));
    expect(await targets([1, 2, 3, 4, 5, 6, 7, 8])).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('has another map for another class', async () => {
    const [found] = await explain([networks[0]!], images, { ...gradCam, target: 0 });
    const other = agreementOf(first(), found!).gradCam!;
    expect(other.spearman.mean).toBeLessThan(0.9);
    expect(other.sameClass).toBeLessThan(0.5);
  });

  it('is refused where it does not exist, by its number', async () => {
    await expect(targets(10)).rejects.toThrow(
      'Class 10 cannot be explained for 7 0. The network has the classes 0 to 9.',
    );
    await expect(targets([0])).rejects.toThrow('The image 2 1 has no label to explain.');
  });

  it('is refused for images without a label, and images of another size are', async () => {
    const unlabelled = explainedImage('plain', images[0]!.pixels);
    const ask = (image: ExplainedImage) => explain([networks[0]!], [image], { ...gradCam, target: 'label' });
    await expect(ask(unlabelled)).rejects.toThrow('The image plain has no label to explain.');
    await expect(ask(explainedImage('small', new Uint8Array(12)))).rejects.toThrow(
      'small is not 16 × 16 × 3',
    );
  });
});

describe('quality', () => {
  it('measures the random map once for maps of the same superpixels', () => {
    for (const { faithfulness } of first().explanations) {
      expect(faithfulness!.kernelShap!.random).toBe(faithfulness!.lime!.random);
      expect(faithfulness!.gradCam!.random).not.toEqual(faithfulness!.lime!.random);
    }
  });

  it('shows that every method finds pixels that the network uses, against random maps', () => {
    for (const found of explained.map(qualityOf)) {
      for (const [name, { insertion, deletion, randomInsertion, randomDeletion }] of Object.entries(found)) {
        expect(insertion!.mean, `insertion, ${name}`).toBeGreaterThan(randomInsertion!.mean);
        expect(deletion!.mean, `deletion, ${name}`).toBeLessThan(randomDeletion!.mean);
      }
    }
  });

  it('sums up LIME’s R² and the largest error of additivity', () => {
    const found = qualityOf(first());
    expect(found.lime!.r2!.mean).toBeGreaterThan(0.1);
    expect(found.kernelShap!.additivityError).toBeLessThan(1e-4);
    expect(found.gradCam!.additivityError).toBeUndefined();
  });

  it('has a network agree with itself, and with another one less', () => {
    const same = agreementOf(first(), first());
    const other = agreementOf(first(), explained[1]!);
    for (const name of mapNames) {
      expect(same[name]).toMatchObject({ images: 8, sameClass: 1 });
      expect(same[name]!.spearman.mean).toBeCloseTo(1, 9);
      expect(same[name]!.topOverlap.mean).toBeCloseTo(1, 9);
      expect(other[name]!.spearman.mean).toBeLessThan(0.99);
      expect(other[name]!.spearman.standardDeviation).toBeGreaterThan(0);
    }
  });
});

describe('the sanity check', () => {
  it('passes: maps of random weights differ from those of trained ones', async () => {
    const target = first().explanations.map((each) => each.target);
    const random = await explain([randomised(networks[0]!, 9)], images, {
      ...all,
      faithfulness: false,
      target,
    });
    const checks = sanityChecks(first(), random[0]!);
    for (const name of mapNames) expect(checks[name], name).toMatchObject({ passes: true, sameClass: 1 });
  });

  it('fails where maps do not depend on the weights', () => {
    expect(sanityChecks(first(), first()).lime).toMatchObject({ passes: false });
  });
});
