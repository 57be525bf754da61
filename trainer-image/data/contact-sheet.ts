/** Pictures of many images at once, for looking at a data set. */
import sharp from 'sharp';
import { type ImageSet, imageBytes } from './dataset.ts';
import { svgText } from './svg-text.ts';

/** Pixels between images, and around the sheet. */
const gap = 4;
/** Rows in one column of classes. */
const rowsPerColumn = 25;
/** Characters of a name. */
const longestName = 24;
const background = 255;

export interface ContactSheetOptions {
  /** Images of each class: the first ones of the set. */
  readonly perClass: number;
  /** Classes shown, the first ones of the set. */
  readonly classes: number;
}

/** One row of images per class, with the class's name, as PNG. */
export async function contactSheet(set: ImageSet, options: ContactSheetOptions): Promise<Buffer> {
  const shown = set.classes.slice(0, options.classes);
  const rows = shown.map((_, label) => firstOfClass(set.labels, label, options.perClass));
  const images = await Promise.all(
    rows.map(async (indices) => {
      const target = new Uint8Array(indices.length * imageBytes(set.size));
      await set.read(indices, target);
      return target;
    }),
  );
  return imageRows(
    shown.map((name, i) => ({ name, images: images[i] ?? new Uint8Array() })),
    set.size,
  );
}

export interface ImageRow {
  readonly name: string;
  /** RGB, 0 – 255, `[n, size, size, 3]`. */
  readonly images: Uint8Array;
}

/** Rows of images of side `size`, each with its name at the left, as PNG; many rows stand in several columns. */
export async function imageRows(rows: readonly ImageRow[], size: number): Promise<Buffer> {
  const zoom = Math.max(1, Math.floor(64 / size));
  const cell = size * zoom;
  const columns = Math.max(1, ...rows.map(({ images }) => images.length / imageBytes(size)));
  const text = Math.max(11, Math.min(16, Math.round(cell / 4)));
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const nameWidth = Math.ceil(Math.min(longest, longestName) * text * 0.62) + 2 * gap;
  const blockWidth = nameWidth + columns * (cell + gap) + gap;
  const blockRows = Math.min(rows.length, rowsPerColumn);
  const width = Math.ceil(rows.length / rowsPerColumn) * blockWidth;
  const height = blockRows * (cell + gap) + gap;
  const pixels = Buffer.alloc(width * height * 3, background);
  const labels: string[] = [];
  for (const [i, { name, images }] of rows.entries()) {
    const left = Math.floor(i / rowsPerColumn) * blockWidth;
    const top = (i % rowsPerColumn) * (cell + gap) + gap;
    // Letters stand in the middle of the row where their baseline is a third of their size below it.
    labels.push(svgText(name, left + gap, top + cell / 2 + 0.35 * text, { size: text, most: longestName }));
    for (let column = 0; column * imageBytes(size) < images.length; column++) {
      const image = images.subarray(column * imageBytes(size), (column + 1) * imageBytes(size));
      draw(image, size, zoom, pixels, width, left + nameWidth + column * (cell + gap), top);
    }
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${labels.join('')}</svg>`;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .composite([{ input: Buffer.from(svg) }])
    .removeAlpha()
    .png()
    .toBuffer();
}

function firstOfClass(labels: Int32Array, wanted: number, count: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < labels.length && found.length < count; i++) if (labels[i] === wanted) found.push(i);
  return found;
}

/** Copies an image, every pixel `zoom` × `zoom` times, to (left, top) of a sheet `width` px wide. */
function draw(
  image: Uint8Array,
  size: number,
  zoom: number,
  sheet: Buffer,
  width: number,
  left: number,
  top: number,
): void {
  for (let row = 0; row < size * zoom; row++) {
    const from = Math.floor(row / zoom) * size;
    let to = ((top + row) * width + left) * 3;
    for (let column = 0; column < size * zoom; column++) {
      const pixel = (from + Math.floor(column / zoom)) * 3;
      sheet[to++] = image[pixel] ?? 0;
      sheet[to++] = image[pixel + 1] ?? 0;
      sheet[to++] = image[pixel + 2] ?? 0;
    }
  }
}
