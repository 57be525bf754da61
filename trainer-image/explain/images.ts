/** Which images are explained. */
import { basename } from 'node:path';
import { shown } from '@destillml/core/text/shown.ts';
import { type ImageSet, imageBytes } from '../data/dataset.ts';
import { decodeFile } from '../data/decode.ts';
import { balancedOrder } from '../data/splits.ts';
import { type ExplainedImage, explainedImage } from './subject.ts';

/**
 * Images of a set, every class in proportion to its size; which ones `seed` draws.
 *
 * @throws DestillError `DatasetCorrupt` where one cannot be read.
 */
export function drawnImages(set: ImageSet, count: number, seed: number): Promise<ExplainedImage[]> {
  return imagesAt(set, balancedOrder(set, seed).subarray(0, count));
}

/**
 * The images of a set at these indices, called `CLASS INDEX`.
 *
 * @throws DestillError `DatasetCorrupt` where one cannot be read.
 */
export async function imagesAt(set: ImageSet, indices: Uint32Array): Promise<ExplainedImage[]> {
  const length = imageBytes(set.size);
  const pixels = new Uint8Array(indices.length * length);
  await set.read(indices, pixels);
  return Array.from(indices, (index, place) => {
    const label = set.labels[index];
    const name = `${set.classes[label ?? -1]} ${index}`;
    return explainedImage(name, pixels.slice(place * length, (place + 1) * length), label);
  });
}

/**
 * JPEG or PNG files, brought to `size` × `size` pixels as images of an image folder are.
 *
 * @throws DestillError `DatasetCorrupt` that names a file which cannot be read.
 */
export async function imagesInFiles(paths: readonly string[], size: number): Promise<ExplainedImage[]> {
  return await Promise.all(
    paths.map(async (path) => explainedImage(shown(basename(path)), await decodeFile(path, size))),
  );
}
