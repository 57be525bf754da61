import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { forTerminals } from '../src/text/hostile.ts';
import { destill, destillProcess } from './destill.ts';
import { temporaryFolder } from './temporary.ts';

const hostile = '\u001b]0;owned\u0007\u009b31mgpj.\u202e';
const shown = '\\u001b]0;owned\\u0007\\u009b31mgpj.\\u202e';

/** A data set of two classes, the first of them of this name. */
async function photos(name: string): Promise<string> {
  const folder = temporaryFolder();
  const image = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
  for (const split of ['train', 'test']) {
    for (const each of [name, 'zebra']) {
      mkdirSync(join(folder, split, each), { recursive: true });
      for (let i = 0; i < 4; i++) writeFileSync(join(folder, split, each, `${i}.png`), image);
    }
  }
  return folder;
}

const asked = (folder: string) => [
  'image-folder',
  '--source',
  folder,
  '--image-size',
  '16',
  '--validation',
  '2',
];

test('a data set whose classes have hostile names is described and drawn with escapes', async () => {
  const folder = await photos(hostile);
  const sheets = [join(folder, 'sheet.png'), join(folder, 'augmented.png')] as const;
  const ended = await destill('dataset', ...asked(folder), '--out', sheets[0], '--augment', sheets[1]);
  expect(ended).toMatchObject({ code: 0 });
  expect(ended.stdout).toContain(`classes: ${shown}, zebra\n`);
  expect(ended.stdout.replaceAll(/\s+/g, ' ')).toContain(
    `1 class names have characters that cannot be shown, and are written with escapes: ${shown}`,
  );
  for (const sheet of sheets) expect(readFileSync(sheet).subarray(1, 4).toString()).toBe('PNG');
});

test.each([
  ['of a folder', ['dataset', ...asked(`/nowhere/${hostile}`)]],
  ['of a command', [hostile]],
  ['of a file', ['validate', hostile]],
  ['of a version', ['evaluate', hostile]],
])('a terminal is sent nothing of the name %s, by the real command', async (_what, args) => {
  const ended = await destillProcess(temporaryFolder(), args);
  expect(ended.code).not.toBe(0);
  expect(ended.stderr).toContain(shown);
  expect(forTerminals(ended.stdout + ended.stderr)).toEqual([]);
});
