import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tarEntries } from '@destillml/trainer/data/tar.ts';
import { describe, expect, it } from 'vitest';
import { tar, temporaryFolder, writeFiles } from './made-files.ts';

async function contents(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of tarEntries(path)) {
    if (entry.kind === 'file') found[entry.name] = (await entry.body()).toString();
  }
  return found;
}

describe('tarEntries', () => {
  const long = `${'folder-with-a-long-name/'.repeat(12)}file.txt`;

  it.each([
    ['gnu', []],
    ['pax', []],
    ['ustar', []],
    ['gnu', ['--gzip']],
  ])('reads what the tar command writes in the format %s %s', async (format, options) => {
    const folder = await temporaryFolder();
    const path = format === 'ustar' ? 'short/file.txt' : long;
    await writeFiles(folder, {
      'in/a.txt': 'alpha',
      [`in/${path}`]: 'long',
      'in/empty': '',
      'in/b.txt': 'b'.repeat(600),
    });
    execFileSync('ln', ['-s', 'a.txt', join(folder, 'in', 'link')]);
    const archive = join(folder, 'archive');
    execFileSync('tar', [
      '--create',
      `--format=${format}`,
      '--sort=name',
      ...options,
      `--file=${archive}`,
      '-C',
      join(folder, 'in'),
      '.',
    ]);
    expect(await contents(archive)).toEqual({
      './a.txt': 'alpha',
      [`./${path}`]: 'long',
      './empty': '',
      './b.txt': 'b'.repeat(600),
    });
  });

  it('passes over files whose content is not asked for', async () => {
    const archive = join(await temporaryFolder(), 'archive.tar');
    await writeFile(archive, tar({ first: Buffer.alloc(2000, 1), second: Buffer.from('second') }));
    const bodies: string[] = [];
    for await (const entry of tarEntries(archive)) {
      if (entry.name === 'second') bodies.push((await entry.body()).toString());
    }
    expect(bodies).toEqual(['second']);
  });

  it('stops when the signal is raised', async () => {
    const archive = join(await temporaryFolder(), 'archive.tar');
    await writeFile(archive, tar({ large: Buffer.alloc(2_000_000) }));
    const reading = tarEntries(archive, AbortSignal.abort(new Error('enough'))).next();
    await expect(reading).rejects.toThrow('enough');
  });
});
