/** What explanations ask a network: captured as TensorFlow graphs, in batches, image by image for who asks. */

import { setImmediate } from 'node:timers/promises';
import { DestillError } from '@destillml/core/errors.ts';
import { imageBytes } from '../data/dataset.ts';
import { type StageShapes, shapesOf } from '../distillation/stages.ts';
import type { Network } from '../models/network.ts';
import { capturedProgram } from '../nn/capture.ts';
import type { Functions, InputSpec, Program } from '../nn/program.ts';
import type { Tensor, Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { defaultStage, gradCam } from './grad-cam.ts';
import type { ExplainedNetwork } from './subject.ts';

/** Any number of images, made one by one. */
export interface Images {
  readonly count: number;
  /** Writes image `index`, normalised, into `target`, `[size, size, 3]`, whose values are arbitrary before. */
  draw(index: number, target: Float32Array): void;
}

/** Images, and for each the class whose logit is differentiated. */
export interface Questions extends Images {
  target(index: number): number;
}

export interface Probe {
  readonly classes: number;
  /** Side of the images in pixels. */
  readonly size: number;
  /** Logits `[count, classes]`. */
  logits(images: Images): Promise<Float32Array>;
  /** Gradient of each image's logit with respect to its pixels: `take` gets `[size, size, 3]`, valid for the call. */
  gradients(questions: Questions, take: (index: number, gradient: Float32Array) => void): Promise<void>;
  /** Grad-CAM: `take` gets `[size, size]`, 0 – 1, valid for the call. */
  gradCam(questions: Questions, take: (index: number, map: Float32Array) => void): Promise<void>;
  /** Cells on the sides of the maps that Grad-CAM enlarges; undefined where it was not asked for. */
  readonly gradCamCells: readonly [rows: number, columns: number] | undefined;
  dispose(): void;
}

export interface ProbeOptions {
  /** Stage for Grad-CAM, counted from 1; see `defaultStage`. */
  readonly stage?: number | undefined;
  /** Whether gradients will be asked for: each function costs the time of its capture. */
  readonly gradients: boolean;
  readonly gradCam: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Pixels in a batch: large batches are faster, up to this. */
const batchPixels = 128 * 32 * 32;
const largestBatch = 128;
const smallestBatch = 4;

/** Opens a network for questions. @throws DestillError `InvalidSpec` if it has no such stage. */
export function openProbe(explained: ExplainedNetwork, options: ProbeOptions): Probe {
  const { classes, imageSize: size } = explained;
  const batch = Math.max(smallestBatch, Math.min(largestBatch, Math.floor(batchPixels / size ** 2)));
  const network = explained.open();
  try {
    const looked = options.gradCam
      ? stageOf(explained.name, shapesOf(network, size), options.stage)
      : undefined;
    const program = capturedProgram(
      network.variables.all.map(({ variable }) => variable),
      functionsOf(network, { ...options, batch, size, classes, stage: looked?.stage }),
    );
    return {
      ...probeOf(program, { batch, size, classes, signal: options.signal }),
      gradCamCells: looked?.cells,
      dispose() {
        program.dispose();
        network.variables.dispose();
      },
    };
  } catch (error) {
    network.variables.dispose();
    throw error;
  }
}

function stageOf(name: string, shapes: StageShapes, asked: number | undefined) {
  const stage = asked ?? defaultStage(shapes);
  const shape = shapes[stage - 1];
  if (shape === undefined) {
    const allowed = `Its stages are 1 to ${shapes.length}.`;
    throw new DestillError('InvalidSpec', `${name} has no stage ${stage}. ${allowed}`);
  }
  return { stage, cells: [shape.height, shape.width] as const };
}

function functionsOf(
  network: Network,
  options: ProbeOptions & {
    readonly batch: number;
    readonly size: number;
    readonly classes: number;
    readonly stage: number | undefined;
  },
): Functions {
  const { batch, size, classes, stage } = options;
  const images: InputSpec = { dtype: 'float32', shape: [batch, size, size, 3] };
  const targets: InputSpec = { dtype: 'float32', shape: [batch, classes] };
  type Inputs = Readonly<Record<string, Tensor>>;
  const score = (x: Tensor, { targets }: Inputs) =>
    tf.sum(tf.mul(network.forward(x as Tensor4D, false).logits, targets as Tensor));
  return {
    logits: {
      inputs: { images },
      body: ({ images }) => ({ logits: network.forward(images as Tensor4D, false).logits }),
    },
    ...(options.gradients && {
      gradients: {
        inputs: { images, targets },
        body: (inputs: Inputs) => ({
          gradients: tf.grad((x) => score(x, inputs))(inputs.images as Tensor),
        }),
      },
    }),
    ...(stage !== undefined && {
      gradCam: {
        inputs: { images, targets },
        body: ({ images, targets }: Inputs) => ({
          maps: gradCam(network, images as Tensor4D, targets as Tensor2D, stage),
        }),
      },
    }),
  };
}

function probeOf(
  program: Program,
  {
    batch,
    size,
    classes,
    signal,
  }: { batch: number; size: number; classes: number; signal: AbortSignal | undefined },
): Omit<Probe, 'dispose' | 'gradCamCells'> {
  const images = new Float32Array(batch * imageBytes(size));

  /** Runs a function on all images and hands over the part of its output that belongs to each. */
  async function ask(
    name: string,
    { count, draw }: Images,
    target: ((index: number) => number) | undefined,
    take: (index: number, output: Float32Array) => void,
  ) {
    for (let start = 0; start < count; start += batch) {
      // Lets signals and reports through: a batch blocks the event loop.
      await setImmediate();
      signal?.throwIfAborted();
      const length = Math.min(batch, count - start);
      const targets = new Float32Array(batch * classes);
      for (let i = 0; i < length; i++) {
        draw(start + i, images.subarray(i * imageBytes(size), (i + 1) * imageBytes(size)));
        if (target !== undefined) targets[i * classes + target(start + i)] = 1;
      }
      const [output = new Float32Array()] = Object.values(
        program.run(name, { images, ...(target !== undefined && { targets }) }),
      );
      const each = output.length / batch;
      for (let i = 0; i < length; i++) take(start + i, output.subarray(i * each, (i + 1) * each));
    }
  }

  return {
    classes,
    size,
    async logits(asked) {
      const found = new Float32Array(asked.count * classes);
      await ask('logits', asked, undefined, (index, logits) => found.set(logits, index * classes));
      return found;
    },
    gradients: (asked, take) => ask('gradients', asked, asked.target, take),
    gradCam: (asked, take) => ask('gradCam', asked, asked.target, take),
  };
}
