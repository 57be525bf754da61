import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { augment, imageNet, normalise } from '../../../trainer-image/data/augmentation.ts';
import {
  type AugmentationParameters,
  type BatchParameters,
  colourSize,
  parametersOf,
  toColour,
  toTransform,
  transformSize,
  wholeImage,
} from '../../../trainer-image/data/augmentation-parameters.ts';
import { capturedProgram } from '../../../trainer-image/nn/capture.ts';
import { eagerProgram, type Functions } from '../../../trainer-image/nn/program.ts';
import { type Tensor2D, type Tensor4D, tf } from '../../../trainer-image/tensorflow/tf.ts';

interface Fixture {
  readonly size: number;
  readonly images: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly name: string;
    readonly parameters: Partial<AugmentationParameters>;
    readonly expected: Readonly<Record<string, string>>;
  }[];
}

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/augmentation.json', import.meta.url), 'utf8'),
) as Fixture;
const { size } = fixture;

const none: AugmentationParameters = {
  flip: false,
  crop: { left: 0, top: 0 },
  brightness: 1,
  contrast: 1,
  saturation: 1,
  hue: 0,
  angle: 0,
  box: wholeImage(size),
};

function image(name: string): Uint8Array {
  return Buffer.from(fixture.images[name]!, 'base64');
}

function augmented(name: string, parameters: AugmentationParameters): Float32Array {
  return tf.tidy(() => {
    const values = Float32Array.from(image(name), (byte) => byte / 255);
    const images = tf.tensor4d(values, [1, size, size, 3]);
    const transforms = tf.tensor2d([...toTransform(parameters, size)], [1, transformSize]);
    const colours = tf.tensor2d([...toColour(parameters)], [1, colourSize]);
    return augment(images, transforms, colours).dataSync() as Float32Array;
  });
}

/** Largest and mean absolute difference from torchvision, over pixels at least `margin` from the edge. */
function difference(caseName: string, imageName: string, margin = 0): { largest: number; mean: number } {
  const { parameters, expected } = fixture.cases.find(({ name }) => name === caseName)!;
  const bytes = Buffer.from(expected[imageName]!, 'base64');
  const theirs = Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i) / 65535);
  const ours = augmented(imageName, { ...none, ...parameters });
  const differences = theirs.flatMap((value, i) => {
    const pixel = Math.floor(i / 3);
    const [x, y] = [pixel % size, Math.floor(pixel / size)];
    const inside = Math.min(x, y, size - 1 - x, size - 1 - y) >= margin;
    return inside ? [Math.abs(ours[i]! - value)] : [];
  });
  return {
    largest: Math.max(...differences),
    mean: differences.reduce((sum, value) => sum + value, 0) / differences.length,
  };
}

// The fixture's 16-bit numbers are 8e-6 wide on either side.
const exact = 1e-5;

describe("augment, against torchvision's functional transforms", () => {
  for (const name of ['horizontal flip', 'padded crop', 'flip and padded crop', 'rotation by 90 degrees']) {
    it(`${name}: equal`, () => {
      expect(difference(name, 'photo').largest).toBeLessThan(exact);
      expect(difference(name, 'ramps').largest).toBeLessThan(exact);
    });
  }

  for (const name of ['rotation by 15 degrees', 'rotation by -40 degrees']) {
    it(`${name}: equal to 2e-5, the black corners and their edges included`, () => {
      expect(difference(name, 'photo').largest).toBeLessThan(2e-5);
      expect(difference(name, 'ramps').largest).toBeLessThan(2e-5);
    });
  }

  it('resized crop: equal but for the outermost pixels, which look beyond the box', () => {
    for (const name of ['resized crop', 'resized crop at the corner']) {
      expect(difference(name, 'photo', 1).largest).toBeLessThan(exact);
      expect(difference(name, 'ramps', 1).largest).toBeLessThan(exact);
      expect(difference(name, 'photo').mean).toBeLessThan(0.005);
    }
  });

  it('flip, crop, rotation and resized crop compose in this order', () => {
    // Interpolating a ramp twice is as good as interpolating it once, away from the corners that turn black.
    expect(difference('all of geometry', 'ramps', 5).largest).toBeLessThan(exact);
  });

  it('interpolates once where torchvision does twice: on average a fortieth of the range apart', () => {
    expect(difference('all of geometry', 'photo').mean).toBeLessThan(0.025);
  });

  for (const name of [
    'brighter',
    'darker',
    'more contrast',
    'less contrast',
    'more saturation',
    'less saturation',
    'colour jitter that stays in range',
  ]) {
    it(`${name}: equal`, () => {
      expect(difference(name, 'photo').largest).toBeLessThan(exact);
      expect(difference(name, 'shapes').largest).toBeLessThan(exact);
    });
  }

  it('clamps once where torchvision clamps after each step: small on average', () => {
    expect(difference('colour jitter that is clamped', 'photo').mean).toBeLessThan(0.002);
    expect(difference('colour jitter that is clamped', 'shapes').mean).toBeLessThan(0.007);
  });

  it('hue by a third of a turn: equal, since both exchange the channels', () => {
    expect(difference('hue by a third of a turn', 'photo').largest).toBeLessThan(exact);
    expect(difference('hue by a third of a turn', 'shapes').largest).toBeLessThan(exact);
  });

  it.each([
    ['hue by 0.03 turns', 'photo', 0.009, 0.05],
    ['hue by 0.1 turns', 'photo', 0.025, 0.15],
    ['hue by -0.1 turns', 'photo', 0.025, 0.15],
    ['hue by 0.03 turns', 'shapes', 0.04, 0.09],
    ['hue by 0.1 turns', 'shapes', 0.06, 0.2],
    ['hue by -0.1 turns', 'shapes', 0.13, 0.2],
  ])(
    '%s of %s: near, saturated colours farthest (mean < %f, largest < %f)',
    (name, picture, mean, largest) => {
      const found = difference(name, picture);
      expect(found.mean).toBeLessThan(mean);
      expect(found.largest).toBeLessThan(largest);
    },
  );

  it('everything together stays near, in this order and in the usual one', () => {
    expect(difference('everything', 'photo').mean).toBeLessThan(0.03);
    expect(difference("everything, the crop's border jittered", 'photo').mean).toBeLessThan(0.03);
  });
});

describe('augment', () => {
  it('leaves an image as it is where nothing is drawn', () => {
    const unchanged = Float32Array.from(image('photo'), (byte) => byte / 255);
    const largest = Math.max(...augmented('photo', none).map((value, i) => Math.abs(value - unchanged[i]!)));
    expect(largest).toBeLessThan(1e-7);
  });

  it('keeps what is outside black whatever the colours', () => {
    const moved = { ...none, crop: { left: 5, top: 0 }, brightness: 1.4, contrast: 0.5, hue: 0.1 };
    const row = augmented('photo', moved).subarray(0, size * 3);
    expect([...row.subarray((size - 5) * 3)]).toEqual(new Array(15).fill(0));
    expect(Math.min(...row.subarray(0, (size - 5) * 3))).toBeGreaterThan(0);
  });

  it('gives each image of a batch its own parameters, the same captured as eager', () => {
    const batch = 3;
    const functions: Functions = {
      augment: {
        inputs: {
          images: { dtype: 'uint8', shape: [batch, size, size, 3] },
          transforms: { dtype: 'float32', shape: [batch, transformSize] },
          colours: { dtype: 'float32', shape: [batch, colourSize] },
        },
        body: ({ images, transforms, colours }) => {
          const pixels = tf.mul(tf.cast(images!, 'float32'), 1 / 255) as Tensor4D;
          return { y: normalise(augment(pixels, transforms as Tensor2D, colours as Tensor2D)) };
        },
      },
    };
    const everything = {
      horizontalFlip: 0.5,
      crop: { padding: 4 },
      colorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
      rotation: 15,
      resizedCrop: { scale: [0.8, 1], ratio: [0.9, 1.1] },
    };
    const images = Buffer.concat(['photo', 'ramps', 'shapes'].map(image));
    const values = { images: new Uint8Array(images), ...parametersOf(everything, size, 42, 1, [10, 11, 12]) };

    const before = tf.memory().numTensors;
    const eager = eagerProgram(functions).run('augment', values).y!;
    expect(tf.memory().numTensors).toBe(before);

    const unused = tf.variable(tf.scalar(0));
    const captured = capturedProgram([unused], functions);
    try {
      expect(captured.run('augment', values).y).toEqual(eager);
      const third = captured.run('augment', { ...values, ...only(values, 2) }).y!;
      expect(third.subarray(2 * size * size * 3)).toEqual(eager.subarray(2 * size * size * 3));
      expect(third.subarray(0, size * size * 3)).not.toEqual(eager.subarray(0, size * size * 3));
    } finally {
      captured.dispose();
      unused.dispose();
    }
  });
});

/** Parameters in which image `kept` has its own; the others are zeros. */
function only({ transforms, colours }: BatchParameters, kept: number): BatchParameters {
  const zeroed = (values: Float32Array, width: number) =>
    values.map((value, i) => (Math.floor(i / width) === kept ? value : 0));
  return { transforms: zeroed(transforms, transformSize), colours: zeroed(colours, colourSize) };
}

describe('normalise', () => {
  it("subtracts ImageNet's mean and divides by its standard deviation, per channel", () => {
    const values = tf.tidy(() =>
      normalise(tf.tensor4d([...imageNet.mean, 1, 0, 0.5], [1, 1, 2, 3])).dataSync(),
    ) as Float32Array;
    const expected = [0, 0, 0, (1 - 0.485) / 0.229, -0.456 / 0.224, (0.5 - 0.406) / 0.225];
    expected.forEach((value, i) => {
      expect(values[i]).toBeCloseTo(value, 5);
    });
  });
});
