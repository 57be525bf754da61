import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageFolderOptions, readImageFolder } from '@destillml/trainer/data/image-folder.ts';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from './made-files.ts';

const options: ImageFolderOptions = { size: 16, cacheBytes: 0 };

const colours: Record<string, string> = { red: '#ff0000', green: '#00ff00', blue: '#0000ff' };

async function picture(colour: string, format: 'png' | 'jpeg', width = 24, height = 20): Promise<Buffer> {
  const background = colours[colour] ?? colour;
  return sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
}

/** Three classes, two training images (JPEG and PNG) and one test image each. */
async function colourFolder(testName = 'test'): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of Object.keys(colours)) {
    await writeFiles(folder, {
      [`train/${name}/2.PNG`]: await picture(name, 'png', 30, 40),
      [`train/${name}/10.jpeg`]: await picture(name, 'jpeg'),
      [`${testName}/${name}/a.jpg`]: await picture(name, 'jpeg', 16, 16),
    });
  }
  return folder;
}

describe('readImageFolder', () => {
  it('takes classes and files in the order of their names and decodes them at the size asked for', async () => {
    const { train, test } = await readImageFolder(await colourFolder(), options);
    expect(train.classes).toEqual(['blue', 'green', 'red']);
    expect([...train.labels]).toEqual([0, 0, 1, 1, 2, 2]);
    expect([...test.labels]).toEqual([0, 1, 2]);
    const images = new Uint8Array(3 * 768);
    await train.read([5, 1, 3], images);
    const red = [images[0]!, images[1]!, images[2]!];
    expect(red).toEqual([255, 0, 0]);
    expect([...images.subarray(2 * 768 - 3, 2 * 768)]).toEqual([0, 0, 255]);
    expect([...images.subarray(2 * 768, 2 * 768 + 3)]).toEqual([0, 255, 0]);
  });

  it('reads more images at once than it decodes at once', async () => {
    const { test } = await readImageFolder(await colourFolder(), options);
    const indices = Array.from({ length: 50 }, (_, i) => i % 3);
    const images = new Uint8Array(50 * 768);
    await test.read(indices, images);
    const brightest = indices.map((_, i) => [0, 1, 2].find((channel) => images[i * 768 + channel]! > 128));
    expect(brightest).toEqual(indices.map((label) => 2 - label));
  });

  it('takes val for the test split where there is no test, and says what it did', async () => {
    const folder = await colourFolder('val');
    await writeFiles(folder, { 'train/red/notes.txt': 'x', 'train/red/.hidden.png': 'x' });
    const { test, notes } = await readImageFolder(folder, { size: 224, cacheBytes: 0 });
    expect(test.count).toBe(3);
    expect(notes).toEqual([
      'Decoded as read: shorter side resized to 256 px (bilinear), centre 224 × 224 cut out.',
      'The folder val is used as test split.',
      '2 files that are not named .jpg, .jpeg or .png were passed over.',
    ]);
  });

  it('keeps as many decoded images as the cache holds', async () => {
    const folder = await colourFolder();
    const { train } = await readImageFolder(folder, { size: 16, cacheBytes: 2 * 768 + 767 });
    const image = new Uint8Array(768);
    for (const index of [4, 5, 0]) await train.read([index], image);
    await rm(join(folder, 'train'), { recursive: true });
    await train.read([5], image);
    expect([...image.subarray(0, 3)]).toEqual([255, 0, 0]);
    await train.read([4], image);
    await expect(train.read([0], image)).rejects.toThrow(/train\/blue\/10\.jpeg: cannot be decoded/);
  });

  it('names the file that cannot be decoded', async () => {
    const folder = await colourFolder();
    await writeFile(join(folder, 'train/green/2.PNG'), 'not an image');
    const { train } = await readImageFolder(folder, options);
    const reading = train.read([0, 1, 2, 3, 4, 5], new Uint8Array(6 * 768));
    await expect(reading).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: expect.stringContaining(join(folder, 'train/green/2.PNG')),
    });
  });

  it('shows class names with escapes, says so, and reads their files', async () => {
    const folder = await temporaryFolder();
    const hostile = '\u001b]0;x\u0007gpj.\u202e\ufffe';
    for (const [split, name] of [
      ['train', 'red'],
      ['train', hostile],
      ['test', 'red'],
      ['test', hostile],
    ] as const) {
      const image = await picture(name === 'red' ? 'red' : 'blue', 'png');
      await writeFiles(folder, { [`${split}/${name}/\u009b1.png`]: image });
    }
    const { train, test, notes } = await readImageFolder(folder, options);
    const shown = '\\u001b]0;x\\u0007gpj.\\u202e\\ufffe';
    expect([train.classes, test.classes]).toEqual([
      [shown, 'red'],
      [shown, 'red'],
    ]);
    expect(notes[0]).toBe(
      `1 class names have characters that cannot be shown, and are written with escapes: ${shown}`,
    );
    const images = new Uint8Array(2 * 768);
    await train.read([0, 1], images);
    expect([...images.subarray(0, 3), ...images.subarray(768, 771)]).toEqual([0, 0, 255, 255, 0, 0]);
    await writeFile(join(folder, 'train', hostile, '\u009b1.png'), 'no image');
    const broken = await readImageFolder(folder, options);
    await expect(broken.train.read([0], images)).rejects.toThrow(
      `/train/${shown}/\\u009b1.png: cannot be decoded`,
    );
  });
});

describe('an image folder is refused:', () => {
  it('without splits', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'red/1.png': await picture('red', 'png') });
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({
      code: 'DatasetUnavailable',
      message: `${folder}: needs the folders train and test (or val), each with one folder per class. It holds: red.`,
    });
    await expect(readImageFolder(join(folder, 'none'), options)).rejects.toThrow('It holds: nothing.');
  });

  it('with a class that has no image', async () => {
    const folder = await colourFolder();
    await writeFiles(folder, { 'train/yellow/readme.md': '', 'test/yellow/1.png': '' });
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: expect.stringContaining('train/yellow: holds no .jpg, .jpeg or .png file'),
    });
  });

  it('with other classes in the test split', async () => {
    const folder = await colourFolder();
    await rm(join(folder, 'test/green'), { recursive: true });
    await expect(readImageFolder(folder, options)).rejects.toThrow('no folder for the class green of train');
    await writeFiles(folder, { 'test/green/1.png': '', 'test/pink/1.png': '' });
    await expect(readImageFolder(folder, options)).rejects.toThrow(
      'test/pink: a class that train does not have',
    );
  });

  it('with names that are not UTF-8', async () => {
    const folder = await colourFolder();
    const name = Buffer.from([0x63, 0xed, 0xa0, 0x80]);
    await mkdir(Buffer.concat([Buffer.from(`${folder}/train/`), name]));
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: `${folder}/train/c\ufffd\ufffd\ufffd: its name is not UTF-8. Rename it.`,
    });
  });

  it('with classes that are shown as the same', async () => {
    const folder = await colourFolder();
    for (const name of ['a\u202e', 'a\\u202e']) {
      await writeFiles(folder, { [`train/${name}/1.png`]: '', [`test/${name}/1.png`]: '' });
    }
    await expect(readImageFolder(folder, options)).rejects.toThrow(
      `${folder}/train: two classes are shown as a\\u202e. Rename one of them.`,
    );
  });

  it('with files in place of class folders', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'train/1.png': '', 'test/1.png': '' });
    await expect(readImageFolder(folder, options)).rejects.toThrow('train: holds no folder');
  });
});
