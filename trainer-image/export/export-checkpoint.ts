import { trainedNetwork } from '../artifacts/trained-network.ts';
import { type ExportOptions, exportedOpset, exportOnnx } from './onnx.ts';
import { type OutputError, verifyOnnx } from './verify-onnx.ts';

/** A file that was checked. */
export interface ExportedCheckpoint {
  readonly bytes: Uint8Array;
  readonly opset: number;
  /** Side of the images in pixels. */
  readonly imageSize: number;
  /** How far each output of onnxruntime is from the network's. */
  readonly errors: readonly OutputError[];
}

/**
 * The best checkpoint in a Run's folder as an ONNX file that onnxruntime has computed the same from.
 *
 * @throws DestillError `TeacherMissing` if there is none, `CheckpointUnusable` if it cannot be read, or if onnxruntime
 *   computes something else.
 */
export async function exportCheckpoint(
  artifacts: string,
  options: ExportOptions,
): Promise<ExportedCheckpoint> {
  const { model, classes, imageSize, open } = trainedNetwork(artifacts);
  const network = open();
  try {
    const exported = { model, classes, imageSize, network };
    const bytes = exportOnnx(exported, options);
    return { bytes, opset: exportedOpset, imageSize, errors: await verifyOnnx(bytes, exported) };
  } finally {
    network.variables.dispose();
  }
}
