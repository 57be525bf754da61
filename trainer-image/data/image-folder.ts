/** Folders of images: ROOT/train/CLASS/FILE and ROOT/test/CLASS/FILE (or val), JPEG or PNG, any size. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import { shown } from '@destillml/core/text/shown.ts';
import { classNames } from './class-names.ts';
import { corrupt } from './corrupt.ts';
import { checkedIndex, type ImageSet, imageBytes } from './dataset.ts';
import { decodeFile, shorterSide } from './decode.ts';

/** Images decoded at the same time in one call of read. */
const decoders = 8;

export interface ImageFolderOptions {
  /** Side in pixels that images are brought to. */
  readonly size: number;
  /** Bytes of decoded images of each split kept in memory; the images read first are kept. */
  readonly cacheBytes: number;
}

/**
 * Lists the images; they are decoded when read. Classes are the folders' names in code-point order, as `classNames`
 * shows them.
 *
 * @throws DestillError `DatasetUnavailable` where a split's folder is missing; `DatasetCorrupt` where a class has no
 * image, the splits have different classes, two classes are shown as the same or a name is not UTF-8.
 */
export async function readImageFolder(
  root: string,
  options: ImageFolderOptions,
): Promise<{ readonly train: ImageSet; readonly test: ImageSet; readonly notes: readonly string[] }> {
  const splits: readonly string[] = await readdir(root).catch(() => []);
  const testName = splits.includes('test') ? 'test' : 'val';
  if (!splits.includes('train') || !splits.includes(testName)) {
    const what = `${root}: needs the folders train and test (or val), each with one folder per class`;
    throw new DestillError(
      'DatasetUnavailable',
      `${what}. It holds: ${shown(splits.slice(0, 10).join(', ')) || 'nothing'}.`,
    );
  }
  const train = await listImages(join(root, 'train'));
  const test = await listImages(join(root, testName));
  checkSameClasses(train, test, join(root, testName));
  const { classes, notes } = classNames(train.classes, join(root, 'train'));
  const ignored = train.ignored + test.ignored;
  const shorter = shorterSide(options.size);
  return {
    train: imageSet(train, classes, options),
    test: imageSet(test, classes, options),
    notes: [
      ...notes,
      `Decoded as read: shorter side resized to ${shorter} px (bilinear), centre ${options.size} × ${options.size} cut out.`,
      ...(testName === 'val' ? ['The folder val is used as test split.'] : []),
      ...(ignored > 0 ? [`${ignored} files that are not named .jpg, .jpeg or .png were passed over.`] : []),
    ],
  };
}

interface Listing {
  /** Names of the folders. */
  readonly classes: readonly string[];
  readonly files: readonly string[];
  readonly labels: readonly number[];
  readonly ignored: number;
}

async function listImages(folder: string): Promise<Listing> {
  const entries = await readdir(folder, { withFileTypes: true });
  const classes = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => readable(entry.name, folder))
    .sort();
  if (classes.length === 0) throw corrupt(folder, 'holds no folder', 'Put one folder per class there.');
  const files: string[] = [];
  const labels: number[] = [];
  let ignored = 0;
  for (const [label, name] of classes.entries()) {
    const all = await readdir(join(folder, name));
    const images = all.filter((file) => /\.(jpe?g|png)$/i.test(file) && !file.startsWith('.')).sort();
    if (images.length === 0) {
      const remedy = 'Put images of this class there, or remove the folder from every split.';
      throw corrupt(join(folder, name), 'holds no .jpg, .jpeg or .png file', remedy);
    }
    ignored += all.length - images.length;
    for (const image of images) {
      files.push(join(folder, name, readable(image, join(folder, name))));
      labels.push(label);
    }
  }
  return { classes, files, labels, ignored };
}

/** The name, as long as it is one: of bytes that are no UTF-8 something else is read, which is no file. */
function readable(name: string, folder: string): string {
  if (!name.includes('\ufffd')) return name;
  throw corrupt(join(folder, name), 'its name is not UTF-8', 'Rename it.');
}

function checkSameClasses(train: Listing, test: Listing, testFolder: string): void {
  const missing = train.classes.filter((name) => !test.classes.includes(name));
  const extra = test.classes.filter((name) => !train.classes.includes(name));
  const remedy = 'Give every split one folder for every class.';
  if (missing.length > 0) throw corrupt(testFolder, `no folder for the class ${missing[0]} of train`, remedy);
  if (extra.length > 0)
    throw corrupt(join(testFolder, extra[0] ?? ''), 'a class that train does not have', remedy);
}

function imageSet(
  { files, labels }: Listing,
  classes: readonly string[],
  { size, cacheBytes }: ImageFolderOptions,
): ImageSet {
  const bytes = imageBytes(size);
  const cache = new Map<number, Uint8Array>();

  async function image(index: number): Promise<Uint8Array> {
    const kept = cache.get(index);
    if (kept) return kept;
    const decoded = await decodeFile(files[index] ?? '', size);
    // Every epoch reads every image once, in another order: throwing out old ones for new ones would gain nothing.
    if ((cache.size + 1) * bytes <= cacheBytes) cache.set(index, decoded);
    return decoded;
  }

  return {
    size,
    count: files.length,
    classes,
    labels: Int32Array.from(labels),
    content: files,
    async read(indices, target) {
      let next = 0;
      const decodeInTurn = async () => {
        while (next < indices.length) {
          const i = next++;
          target.set(await image(checkedIndex(indices, i, files.length)), i * bytes);
        }
      };
      await Promise.all(Array.from({ length: decoders }, decodeInTurn));
    },
  };
}
