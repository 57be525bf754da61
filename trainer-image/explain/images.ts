/** Which images are explained. */
import { basename } from 'node:path';
import { type ImageSet, imageBytes } from '../data/dataset.ts';
import { decodeFile } from '../data/decode.ts';
import { balancedOrder } from '../data/splits.ts';
import { type ExplainedImage, explainedImage } from './subject.ts';

/**
 * Images of a set, every class in proportion to its size; which ones `seed` draws. They are called `CLASS NUMBER`, by
 * their place in the set.
 *
 * @throws DestillError `DatasetCorrupt` where one cannot be read.
 */
export async function drawnImages(set: ImageSet, count: number, seed: number): Promise<ExplainedImage[]> {
  const indices = balancedOrder(set, seed).slice(0, count);
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
    paths.map(async (path) => explainedImage(basename(path), await decodeFile(path, size))),
  );
}
