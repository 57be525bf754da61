import { type ImageSet, imageBytes } from './dataset.ts';
import { resize } from './decode.ts';

/** The same images at another size, resized as they are read (bilinear, antialiased). */
export function resized(set: ImageSet, size: number): ImageSet {
  if (size === set.size) return set;
  const from = imageBytes(set.size);
  return {
    ...set,
    size,
    async read(indices, target) {
      const originals = new Uint8Array(indices.length * from);
      await set.read(indices, originals);
      const images = Array.from({ length: indices.length }, (_, i) =>
        resize(originals.subarray(i * from, (i + 1) * from), set.size, size),
      );
      for (const [i, image] of (await Promise.all(images)).entries()) target.set(image, i * imageBytes(size));
    },
  };
}
