/** What an explanation leaves in a folder: figures, raw maps, numbers. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mapNames } from '@destillml/core/api/explain.ts';
import { type Explanations, explanationFiles } from '@destillml/core/results/explanations.ts';
import { writeAtomic, writeJsonAtomic } from '../storage/atomic.ts';
import type { ExplainedBy } from './explain.ts';
import { figure } from './figure.ts';
import { encodeNpy } from './npy.ts';
import { agreementOf, qualityOf } from './quality.ts';
import type { SanityChecks } from './sanity.ts';
import type { ExplainedImage } from './subject.ts';

/** What is written beside figures and maps. */
export interface ExplanationFacts {
  /** Names by class. */
  readonly classes: readonly string[];
  /** Time that it took. */
  readonly seconds: number;
  /** Of the first network; empty where it was not checked. */
  readonly sanity: SanityChecks;
}

/**
 * Writes `figures/IMAGE.png` (a number from 000), `maps/NETWORK/METHOD.npy` (float32 `[images, size, size]`; the
 * name as in an address, `a%2Fb` for `a/b`) and `explanations.json`, in which every network is compared with the first.
 * Figures and maps of an earlier call are removed.
 */
export async function writeExplanations(
  folder: string,
  images: readonly ExplainedImage[],
  networks: readonly ExplainedBy[],
  { classes, seconds, sanity }: ExplanationFacts,
): Promise<void> {
  // Without the document, folders of these names are somebody else's.
  if (existsSync(join(folder, explanationFiles.document))) {
    for (const name of ['figures', 'maps']) rmSync(join(folder, name), { recursive: true, force: true });
  }
  for (const [index, image] of images.entries()) {
    writeAtomic(join(folder, explanationFiles.figure(index)), [
      await figure(image, index, networks, classes),
    ]);
  }
  const [first] = networks;
  for (const explained of networks) writeMaps(join(folder, 'maps', fileName(explained.network)), explained);
  writeJsonAtomic(join(folder, explanationFiles.document), {
    classes: [...classes],
    seconds,
    sanity: { ...sanity },
    images: images.map(({ name, label }) => ({ name, label })),
    networks: networks.map((explained) => ({
      name: explained.network,
      quality: qualityOf(explained),
      agreement: first === undefined || explained === first ? {} : agreementOf(first, explained),
      explanations: explained.explanations.map(({ maps, ...rest }) => ({
        ...rest,
        maps: Object.fromEntries(
          Object.entries(maps).map(([name, { r2, additivity }]) => [name, { r2, additivity }]),
        ),
      })),
    })),
  } satisfies Explanations);
}

function writeMaps(folder: string, { explanations }: ExplainedBy): void {
  for (const name of mapNames) {
    const maps = explanations.flatMap(({ maps }) => maps[name]?.values ?? []);
    const [first] = maps;
    if (first === undefined) continue;
    const all = new Float32Array(maps.length * first.length);
    for (const [index, map] of maps.entries()) all.set(map, index * first.length);
    const size = Math.sqrt(first.length);
    writeAtomic(join(folder, `${name}.npy`), [encodeNpy(all, [maps.length, size, size])]);
  }
}

/** A name of its own for every network; not `.` or `..`, which are other folders. */
function fileName(network: string): string {
  const name = encodeURIComponent(network);
  return /^\.+$/.test(name) ? name.replaceAll('.', '%2E') : name;
}
