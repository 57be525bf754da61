import { DestillError } from '@destillml/core/errors.ts';
import { InferenceSession, Tensor as OnnxRuntimeTensor } from 'onnxruntime-node';
import { scoped } from '../nn/scoped.ts';
import { type Tensor, type Tensor4D, tf } from '../tensorflow/tf.ts';
import type { ExportedModel } from './onnx.ts';

export interface VerificationOptions {
  /** How many images are compared; default 256. */
  readonly images?: number;
  /** Largest error, relative to the largest value of an output; default 1e-4. */
  readonly tolerance?: number;
  /** Of the images, which are noise of the mean and deviation of normalised ones. */
  readonly seed?: number;
}

/** How far an output of onnxruntime is from the network's. */
export interface OutputError {
  readonly output: string;
  readonly absolute: number;
  /** Beside the largest value of the output over all images. */
  readonly relative: number;
}

/** Of several sizes, because the batch of an exported file is free. */
const batchSizes = [1, 7, 56, 64];

/**
 * Compares what onnxruntime computes from an exported file with what the network computes, on random images and in
 * batches of several sizes: logits and every stage.
 *
 * @throws DestillError `CheckpointUnusable` if onnxruntime cannot read the file, or an output is off by more than the tolerance.
 */
export async function verifyOnnx(
  bytes: Uint8Array,
  { network, imageSize }: ExportedModel,
  { images = 256, tolerance = 1e-4, seed = 1 }: VerificationOptions = {},
): Promise<readonly OutputError[]> {
  const session = await opened(bytes);
  const largest = new Map<string, { value: number; error: number }>();
  try {
    for (let done = 0, turn = 0; done < images; turn++) {
      const batch = Math.min(batchSizes[turn % batchSizes.length] ?? 1, images - done);
      const { planes, expected } = computed(network, imageSize, batch, seed + done);
      const found = await session.run({
        images: new OnnxRuntimeTensor('float32', planes, [batch, 3, imageSize, imageSize]),
      });
      for (const [name, values] of Object.entries(expected)) {
        const data = found[name]?.data;
        if (!(data instanceof Float32Array) || data.length !== values.length) {
          throw new DestillError(
            'CheckpointUnusable',
            `onnxruntime gives no output ${name} of the right shape.`,
          );
        }
        const sofar = largest.get(name) ?? { value: 0, error: 0 };
        largest.set(name, {
          value: values.reduce((most, value) => Math.max(most, Math.abs(value)), sofar.value),
          error: values.reduce(
            (most, value, index) => Math.max(most, Math.abs(value - (data[index] ?? Number.NaN))),
            sofar.error,
          ),
        });
      }
      done += batch;
    }
  } finally {
    await session.release();
  }
  const errors = [...largest].map(([output, { value, error }]) => ({
    output,
    absolute: error,
    relative: error === 0 ? 0 : error / value,
  }));
  const wrong = errors.find(({ relative }) => !(relative <= tolerance));
  if (wrong === undefined) return errors;
  throw new DestillError(
    'CheckpointUnusable',
    `${wrong.output} of the exported file is off by ${wrong.relative.toPrecision(2)} of its largest value, ` +
      `more than ${tolerance}: do not use the file.`,
  );
}

async function opened(bytes: Uint8Array): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes);
  } catch (cause) {
    throw new DestillError(
      'CheckpointUnusable',
      `onnxruntime cannot read the exported file: ${String(cause)}`,
      {
        cause,
      },
    );
  }
}

/** Images as ONNX has them, and the network's outputs for them by name, likewise. */
function computed(network: ExportedModel['network'], imageSize: number, batch: number, seed: number) {
  return scoped(() => {
    const images = tf.randomNormal([batch, 3, imageSize, imageSize], 0, 1, 'float32', seed) as Tensor4D;
    const planes = valuesOf(images);
    const { logits, stages } = network.forward(tf.transpose(images, [0, 2, 3, 1]), false);
    const outputs: Record<string, Float32Array> = { logits: valuesOf(logits) };
    for (const [index, stage] of stages.entries()) {
      outputs[`stage${index + 1}`] = valuesOf(tf.transpose(stage, [0, 3, 1, 2]));
    }
    return { planes, expected: outputs };
  });
}

function valuesOf(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.dataSync());
}
