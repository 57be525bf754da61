import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import { decodeModel, type OnnxModel, type OnnxTensor } from '../storage/onnx-format.ts';
import { storedValue, type Value } from './values.ts';

/** An ONNX file and the tensors that it stores. */
export interface OnnxFile {
  /** What messages call it. */
  readonly source: string;
  readonly model: OnnxModel;
  isStored(name: string): boolean;
  /**
   * A stored tensor.
   *
   * @param refuse is told what is wrong with it.
   */
  stored(name: string, refuse: (what: string) => never): Value;
}

/**
 * Reads an ONNX file; weights, and files with weights beside it, are read when they are asked for.
 *
 * @param given its path, or its bytes, which have no files beside them.
 * @param source what messages call it.
 * @throws DestillError `TeacherMissing` if it is not there, `CheckpointUnusable` if it cannot be read.
 */
export function readOnnxFile(
  given: string | Uint8Array,
  source = typeof given === 'string' ? given : 'the ONNX file',
): OnnxFile {
  const folder = typeof given === 'string' ? dirname(given) : undefined;
  const model = decodeModel(typeof given === 'string' ? bytesAt(given, source) : given, source);
  const tensors = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  const beside = folder === undefined ? undefined : filesIn(folder, source);
  return {
    source,
    model,
    isStored: (name) => tensors.has(name),
    stored(name, refuse) {
      const tensor = tensors.get(name) ?? refuse(`reads "${name}", which is not in the file`);
      const told = (what: string) => refuse(`reads the weight "${name}", which ${what}`);
      return storedValue(name, withValues(tensor, beside, told), told);
    },
  };
}

/** @param what is read, as messages name it. */
function bytesAt(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DestillError('TeacherMissing', `The teacher ${what} cannot be read: ${why}.`, { cause });
  }
}

/** Contents of files in a folder by their names; each is read once. Undefined: the file is in another folder. */
type Files = (name: string) => Uint8Array | undefined;

function filesIn(folder: string, source: string): Files {
  const read = new Map<string, Uint8Array>();
  return (name) => {
    const path = join(folder, name);
    if (relative(folder, path) !== basename(name)) return undefined;
    const bytes = read.get(path) ?? bytesAt(path, `${source} keeps weights in ${name}, which`);
    read.set(path, bytes);
    return bytes;
  };
}

/** Exporters may put the values into a file beside the graph. */
function withValues(
  tensor: OnnxTensor,
  files: Files | undefined,
  refuse: (what: string) => never,
): OnnxTensor {
  if ((tensor.dataLocation ?? 0) === 0) return tensor;
  const entries = new Map(tensor.externalData?.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  if (files === undefined) return refuse(`is in another file, ${location}: export with the weights inside`);
  const bytes = files(location) ?? refuse(`is in a file of another folder, ${location}`);
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? bytes.length - offset);
  if (offset + length > bytes.length) return refuse(`is cut off in ${location}`);
  return { ...tensor, rawData: bytes.subarray(offset, offset + length) };
}
