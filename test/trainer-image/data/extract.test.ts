import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAside } from '@destillml/trainer/data/aside.ts';
import { extract, folderWith } from '@destillml/trainer/data/extract.ts';
import { describe, expect, it } from 'vitest';
import { tar, tarGz, temporaryFolder, writeFiles } from './made-files.ts';

describe('extract', () => {
  const files = {
    'birds/train/robin/1.jpg': Buffer.from('one'),
    'birds/test/robin/2.jpg': Buffer.from('two'),
  };

  it('unpacks an archive once', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'birds.tar.gz': tarGz(files) });
    const target = join(folder, 'birds');
    await extract(join(folder, 'birds.tar.gz'), target, {});
    expect(await readFile(join(target, 'birds/train/robin/1.jpg'), 'utf8')).toBe('one');
    expect(await folderWith('train', target)).toBe(join(target, 'birds'));
    await extract(join(folder, 'gone.tar.gz'), target, {});
    expect((await readdir(folder)).sort()).toEqual(['birds', 'birds.tar.gz']);
  });

  it('leaves nothing of an archive that is damaged', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'birds.tar': tar(files).subarray(0, 1600) });
    await expect(extract(join(folder, 'birds.tar'), join(folder, 'birds'), {})).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: `${folder}/birds.tar: truncated: ends at byte 1600. Fetch the archive again.`,
    });
    expect(await readdir(folder)).toEqual(['birds.tar']);
  });

  it('leaves nothing when it is stopped midway', async () => {
    const folder = await temporaryFolder();
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`${i}.jpg`, Buffer.alloc(100_000, i)]),
    );
    await writeFiles(folder, { 'many.tar': tar(many) });
    const controller = new AbortController();
    const deps = {
      signal: controller.signal,
      onProgress: ({ done }: { done: number }) => done === 5 && controller.abort(new Error('preempted')),
    };
    await expect(extract(join(folder, 'many.tar'), join(folder, 'many'), deps)).rejects.toThrow('preempted');
    expect(await readdir(folder)).toEqual(['many.tar']);
  });

  it.each(['../outside.jpg', '/etc/outside', 'a/../../outside'])(
    'refuses an archive that names %s',
    async (name) => {
      const folder = await temporaryFolder();
      await writeFiles(folder, {
        'bad.tar': tar({ 'fine.jpg': Buffer.from('x'), [name]: Buffer.from('x') }),
      });
      await expect(extract(join(folder, 'bad.tar'), join(folder, 'bad'), {})).rejects.toThrow(
        `${folder}/bad.tar: its entry ${name} leads out of the folder. Do not use this archive, or make it anew.`,
      );
      expect(await readdir(folder)).toEqual(['bad.tar']);
    },
  );
});

describe('writeAside', () => {
  it('replaces a file as a whole and leaves the old one where writing fails', async () => {
    const target = join(await temporaryFolder(), 'file');
    await writeAside(target, (path) => writeFile(path, 'first'));
    const failing = writeAside(target, async (path) => {
      await writeFile(path, 'half');
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(await readFile(target, 'utf8')).toBe('first');
    await writeAside(target, (path) => writeFile(path, 'second'));
    expect(await readFile(target, 'utf8')).toBe('second');
    expect(await readdir(join(target, '..'))).toEqual(['file']);
  });

  it('removes what killed processes left a day ago, and nothing else', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'file.old.aside': '', 'file.new.aside': '', 'other.old.aside': '' });
    const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
    await utimes(join(folder, 'file.old.aside'), twoDaysAgo, twoDaysAgo);
    await utimes(join(folder, 'other.old.aside'), twoDaysAgo, twoDaysAgo);
    await writeAside(join(folder, 'file'), (path) => writeFile(path, 'x'));
    expect((await readdir(folder)).sort()).toEqual(['file', 'file.new.aside', 'other.old.aside']);
  });
});
