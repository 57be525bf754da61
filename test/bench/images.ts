/** The images that benches work on. */
import { join } from 'node:path';
import type { LoadedDataset } from '@destillml/trainer/data/dataset.ts';
import { defaultLoadDeps, load } from '@destillml/trainer/data/load.ts';

/** All of Fashion-MNIST at 32 px, in folder DESTILL_DATA or destill-data. */
export function fashionMnist(): Promise<LoadedDataset> {
  const dataset = {
    name: 'fashion-mnist',
    source: { packaged: {} },
    validation: 1,
    fraction: 1,
    splitSeed: 1,
    augmentation: {},
  } as const;
  const folder = process.env.DESTILL_DATA ?? join(import.meta.dirname, '../../destill-data');
  return load(dataset, folder, defaultLoadDeps);
}
