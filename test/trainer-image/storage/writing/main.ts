/** A process of its own that writes somewhere, and says what came of it. */
import { writeFile } from 'node:fs/promises';
import { appendHistory } from '@destillml/trainer/artifacts/history.ts';
import { writeAside } from '@destillml/trainer/data/aside.ts';
import { extract } from '@destillml/trainer/data/extract.ts';
import { writeAtomic } from '@destillml/trainer/storage/atomic.ts';
import { diskError, makeFolder } from '@destillml/trainer/storage/disk.ts';
import { fetchFile } from '@destillml/trainer/storage/fetch-file.ts';
import { takeLock } from '../../../../cli/store/lock.ts';

const size = 1 << 20;
const [what = '', path = '', source = ''] = process.argv.slice(2);

const record = {
  epoch: 1,
  loss: 1,
  crossEntropy: 1,
  trainAccuracy: 1,
  validationLoss: 1,
  validationAccuracy: 1,
  learningRate: 1,
  imagesPerSecond: 1,
  seconds: 1,
};

async function* megabyte() {
  for (let i = 0; i < 16; i++) yield Buffer.alloc(size / 16, 1);
}

const works: Readonly<Record<string, () => unknown>> = {
  writeAtomic: () => writeAtomic(path, [Buffer.alloc(size, 1)]),
  writeAside: () => writeAside(path, (aside) => writeFile(aside, Buffer.alloc(size, 1))),
  makeFolder: () => makeFolder(`${path}/deep/er`),
  takeLock: () => takeLock(path),
  extract: () => extract(source, path, {}),
  appendHistory: () => {
    for (let i = 0; i < 100_000; i++) appendHistory(path, record);
  },
  fetchFile: () =>
    fetchFile(
      {
        open: async () => ({ start: 0, total: size, body: megabyte() }),
        isSame: async () => false,
        check: async () => undefined,
        unavailable: (_, cause) => {
          throw new Error('it was tried again and again', { cause });
        },
      },
      path,
      { wait: async () => undefined },
    ),
};

try {
  await works[what]?.();
  process.stdout.write('null');
} catch (error) {
  const { code, message } = (diskError(error) ?? error) as {
    readonly code: string;
    readonly message: string;
  };
  process.stdout.write(JSON.stringify({ code, message }));
}
