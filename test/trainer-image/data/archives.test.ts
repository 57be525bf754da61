/** Archives that somebody made to do harm, or by mistake, and those that other programs make. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { extract } from '@destillml/trainer/data/extract.ts';
import { findFiles } from '@destillml/trainer/data/files.ts';
import { defaultLimits } from '@destillml/trainer/data/limits.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TarFields, tar, tarOf, temporaryFolder, writeFiles } from './made-files.ts';

const mib = 2 ** 20;
const jpeg = Buffer.from('an image');

/** Unpacks, and says what is there then. */
async function unpacked(archive: Buffer, limits = defaultLimits): Promise<Record<string, string>> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'a.tar'), archive);
  try {
    await extract(join(folder, 'a.tar'), join(folder, 'out'), {}, limits);
  } catch (error) {
    expect(await readdir(folder)).toEqual(['a.tar']);
    throw error;
  }
  const files = readdirSync(join(folder, 'out'), { recursive: true, withFileTypes: true });
  expect(files.every((file) => file.isFile() || file.isDirectory())).toBe(true);
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [
        path.slice(folder.length + '/out/'.length),
        file.isFile() ? readFileSync(path, 'utf8') : 'a folder',
      ];
    }),
  );
}

const file = (name: string, type = '0'): TarFields => ({ name, type, content: jpeg });
const pax = (...records: readonly string[]): TarFields => ({
  name: 'pax',
  type: 'x',
  content: Buffer.from(
    records
      .map((record) => {
        const rest = ` ${record}\n`;
        const guess = Buffer.byteLength(rest) + 2;
        return `${guess >= 100 ? guess + 1 : guess}${rest}`;
      })
      .join(''),
  ),
});

describe('an archive is refused as DatasetCorrupt, and leaves nothing:', () => {
  const refused: Record<string, readonly [readonly TarFields[], string]> = {
    'a file under a file': [
      [file('train/cat'), file('train/cat/1.jpg')],
      'its entry train/cat/1.jpg is where another entry is already, or below one that is a file',
    ],
    'a file in the place of a folder': [
      [file('train/cat/1.jpg'), file('train/cat')],
      'its entry train/cat is where another entry is already',
    ],
    'a folder in the place of a file': [
      [file('train'), { name: 'train/', type: '5' }],
      'its entry train/ is where another entry is already',
    ],
    'a file deep under a file': [
      [file('train'), file('train/cat/1.jpg')],
      'its entry train/cat/1.jpg is where another entry is already',
    ],
    'a file twice': [[file('1.jpg'), file('./1.jpg')], 'its entry ./1.jpg is where another entry is already'],
    'a folder by its name that is a file by its type': [
      [{ name: 'train/', type: '\0' }, file('train/cat/1.jpg')],
      'its entry train/ at byte 512 is a file of its type and a folder of its name',
    ],
    'a path out of it': [[file('train/../../1.jpg')], 'its entry train/../../1.jpg leads out of the folder'],
    'an absolute path': [[file('/etc/passwd')], 'its entry /etc/passwd leads out of the folder'],
    'an absolute path of pax': [
      [pax('path=/etc/passwd'), file('harmless')],
      'its entry /etc/passwd leads out of the folder',
    ],
    'a NUL in a name': [[pax('path=a\0b'), file('harmless')], 'its entry a\\u0000b has a NUL in its name'],
    'a name that is not UTF-8': [
      [{ name: 'L', type: 'L', content: Buffer.from([0x61, 0xed, 0xa0, 0x80]) }, file('harmless')],
      'has a name that is not UTF-8',
    ],
    'a name too long': [
      [pax(`path=${'x'.repeat(300)}`), file('harmless')],
      'has a name of more than 255 bytes',
    ],
    'a link out of it': [
      [{ name: 'a/link', type: '2', target: '../../etc/passwd' }],
      'its entry a/link is a link to ../../etc/passwd, which leads out of the folder',
    ],
    'an absolute link': [
      [{ name: 'link', type: '2', target: '/etc/passwd' }],
      'its entry link is a link to /etc/passwd, which leads out of the folder',
    ],
    'a hard link out of it': [
      [{ name: 'a/link', type: '1', target: '../passwd' }],
      'its entry a/link is a link to ../passwd, which leads out of the folder',
    ],
    'a link to a folder, through which files would be written': [
      [{ name: 'a', type: '5' }, { name: 'b', type: '2', target: 'a' }, file('b/1.jpg')],
      'its entry b is a link to a, which is no file of the archive',
    ],
    'a link to nothing': [
      [{ name: 'b', type: '2', target: 'a' }],
      'its entry b is a link to a, which is no file of the archive',
    ],
    'links in a circle': [
      [
        { name: 'a', type: '2', target: 'b' },
        { name: 'b', type: '2', target: 'a' },
      ],
      'its entry a is a link to b, which is no file of the archive',
    ],
    'a link in the place of a file': [
      [file('a'), file('b'), { name: 'b', type: '1', target: 'a' }],
      'its entry b is where another entry is already',
    ],
    'a device': [[{ name: 'null', type: '3' }], 'its entry null at byte 512 is a device'],
    'a block device': [[{ name: 'sda', type: '4' }], 'its entry sda at byte 512 is a device'],
    'a named pipe': [[{ name: 'pipe', type: '6' }], 'its entry pipe at byte 512 is a named pipe'],
    'a sparse file': [[{ name: 'sparse', type: 'S' }], 'is of the type "S": no file, folder or link'],
    'an entry without a name': [[file('')], 'its entry without a name at byte 512 is nothing'],
    'a size that is no number': [[{ name: 'a', size: 'many' }], 'the size many is no number, at byte 512'],
    'a size beyond all numbers': [
      [{ name: 'a', size: '\u0080'.padEnd(12, '\u007f') }],
      'is no number, at byte 512',
    ],
    'a pax header that is none': [[{ ...pax('path=a'), content: Buffer.from('path=a\n') }], 'no pax header'],
    'a pax record longer than its header': [
      [{ ...pax('path=a'), content: Buffer.from('99 path=a\n') }],
      'no pax header',
    ],
  };

  it.each(Object.entries(refused))('%s', async (_, [entries, what]) => {
    await expect(unpacked(tarOf({ name: 'fine', type: '5' }, ...entries))).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: expect.stringContaining(what),
    });
  });

  it.each([
    ['entries', { entries: 2 }, 'it has more than 2 entries, of which c is the next'],
    ['links', { links: 0 }, 'it has more than 0 links'],
    ['bytes', { bytes: 20 }, 'with its entry c it has more than 20 B, the most that is unpacked'],
    ['bytes of a file', { entryBytes: 7 }, 'its entry a has 8 B; 7 B are the most of a file'],
    ['bytes about an entry', { descriptionBytes: 8 }, 'bytes about an entry; 8 are the most of it'],
  ])('more %s than the limits allow', async (_, changed, what) => {
    const many = tarOf(
      file('a'),
      file('b'),
      file('c'),
      { name: 'link', type: '2', target: 'a' },
      pax('path=another'),
      file('d'),
    );
    await expect(unpacked(many, { ...defaultLimits, ...changed })).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: expect.stringMatching(`${what}.*`),
    });
    expect(Object.keys(await unpacked(many))).toHaveLength(5);
  });

  it('damaged anywhere, with no other error and nothing left', async () => {
    const whole = tarOf(file('train/cat/1.jpg'), pax('path=train/dog/2.jpg', 'size=8'), file('short'));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.length - 1025 }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        async (at, byte, isCut) => {
          const damaged = Buffer.from(isCut ? whole.subarray(0, at) : whole);
          if (!isCut) damaged[at] = byte;
          const error: unknown = await unpacked(damaged).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (error !== undefined) expect(error).toMatchObject({ code: 'DatasetCorrupt' });
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('an archive that others made', () => {
  it('of GNU tar, with links and folders, becomes its files', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'in/train/cat/1.jpg': 'one', 'in/train/dog/2.jpg': 'two' });
    execFileSync(
      'sh',
      [
        '-c',
        'cd in && ln train/cat/1.jpg train/cat/hard.jpg && ln -s ../cat/1.jpg train/dog/soft.jpg && ln -s soft.jpg train/dog/chain.jpg && mkdir train/empty && tar -czf ../a.tar *',
      ],
      { cwd: folder },
    );
    expect(await unpacked(readFileSync(join(folder, 'a.tar')))).toEqual({
      train: 'a folder',
      'train/cat': 'a folder',
      'train/cat/1.jpg': 'one',
      'train/cat/hard.jpg': 'one',
      'train/dog': 'a folder',
      'train/dog/2.jpg': 'two',
      'train/dog/soft.jpg': 'one',
      'train/dog/chain.jpg': 'one',
      'train/empty': 'a folder',
    });
  });

  it.each(['USTAR_FORMAT', 'GNU_FORMAT', 'PAX_FORMAT'])(
    'of Python, in its %s, has the names that Python gave',
    async (format) => {
      const folder = await temporaryFolder();
      const names = [
        'plain.jpg',
        'ü/猫.jpg',
        ...(format === 'USTAR_FORMAT' ? [] : [`${'long/'.repeat(60)}x.jpg`, 'line\nfeed path=x.jpg']),
      ];
      const script = `
import io, json, sys, tarfile
with tarfile.open('a.tar', 'w', format=tarfile.${format}) as archive:
    for name in json.load(sys.stdin):
        entry = tarfile.TarInfo(name)
        entry.size = 5
        entry.mtime = 0.5 if '${format}' == 'PAX_FORMAT' else 0
        archive.addfile(entry, io.BytesIO(b'image'))
`;
      execFileSync('python3', ['-c', script], { cwd: folder, input: JSON.stringify(names) });
      const found = await unpacked(await readFile(join(folder, 'a.tar')));
      expect(
        Object.keys(found)
          .filter((name) => found[name] === 'image')
          .sort(),
      ).toEqual(names.toSorted());
    },
  );

  it('with sizes as GNU writes those of 8 GiB and more', async () => {
    const size = Buffer.alloc(12);
    size[0] = 0x80;
    size[11] = jpeg.length;
    const archive = tarOf(file('a'));
    size.copy(archive, 124);
    archive.fill(' ', 148, 156);
    const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    expect(await unpacked(archive)).toEqual({ a: 'an image' });
  });
});

/** The memory and the error of a process that does it. */
function measured(...args: readonly string[]): {
  error?: { code: string; message: string };
  mebibytes: number;
} {
  const main = fileURLToPath(new URL('unpacking/main.ts', import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' }));
}

/** What a process takes that unpacks next to nothing. */
async function least(): Promise<number> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'a.tar'), tar({ a: jpeg }));
  return measured('extract', join(folder, 'a.tar'), join(folder, 'out')).mebibytes;
}

/** `size` zeros, gzipped; members of a gzip file may follow each other. */
function zeros(size: number): Buffer {
  const piece = gzipSync(Buffer.alloc(64 * mib), { level: 1 });
  return Buffer.concat(Array.from({ length: size / (64 * mib) }, () => piece));
}

describe('memory', () => {
  /** Mebibytes that a process may take beside what it takes for next to nothing. */
  const margin = 100;

  it('does not grow with an entry of 1 GiB, which is unpacked', async () => {
    const folder = await temporaryFolder();
    const archive = join(folder, 'a.tar');
    const size = 1024 * mib;
    await writeFile(archive, tarOf({ name: 'large.bin', size }).subarray(0, 512));
    truncateSync(archive, 512 + size + 1024);
    const { error, mebibytes } = measured('extract', archive, join(folder, 'out'));
    expect(error).toBeUndefined();
    expect(statSync(join(folder, 'out/large.bin')).size).toBe(size);
    expect(mebibytes).toBeLessThan((await least()) + margin);
  });

  it('does not grow with a gzipped entry of 3 GiB, which is refused', async () => {
    const folder = await temporaryFolder();
    const archive = join(folder, 'a.tar.gz');
    const size = 3 * 1024 * mib;
    const start = gzipSync(tarOf({ name: 'bomb', size }).subarray(0, 512));
    await writeFile(archive, Buffer.concat([start, zeros(size), gzipSync(Buffer.alloc(1024))]));
    expect((await stat(archive)).size).toBeLessThan(20 * mib);
    const { error, mebibytes } = measured('extract', archive, join(folder, 'out'));
    expect(error).toEqual({
      code: 'DatasetCorrupt',
      message: `${archive}: its entry bomb has 3 GiB; 2 GiB are the most of a file. If the archive is to be trusted, unpack it yourself and give its folder: dataset.source.directory or persistentVolumeClaim.`,
    });
    expect(mebibytes).toBeLessThan((await least()) + margin);
    expect(await readdir(folder)).toEqual(['a.tar.gz']);
  });

  it.each([
    ['in entries', 'entry'],
    ['behind its end', 'end'],
  ])('does not grow with an archive that becomes 200 times its size %s', async (_, where) => {
    const folder = await temporaryFolder();
    const archive = join(folder, 'a.tar.gz');
    const size = 1024 * mib;
    const start = where === 'entry' ? tarOf({ name: 'bomb', size }).subarray(0, 512) : tarOf(file('a'));
    await writeFile(archive, Buffer.concat([gzipSync(start), zeros(size), gzipSync(Buffer.alloc(1024))]));
    const { error, mebibytes } = measured('extract', archive, join(folder, 'out'));
    expect(error).toMatchObject({
      code: 'DatasetCorrupt',
      message: expect.stringMatching(
        /: 256(\.\d)? MiB came out of \d+(\.\d)? [KM]iB, more than 100 bytes of one\. If/,
      ),
    });
    expect(mebibytes).toBeLessThan((await least()) + margin);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it.each([
    ['plain', 'data'],
    ['gzipped', 'data.gz'],
    ['in an archive', 'all.tar'],
  ])('does not grow with a data file of 1 GiB, %s', async (_, name) => {
    const folder = await temporaryFolder();
    const size = 1024 * mib;
    const path = join(folder, name);
    const content: Record<string, () => Buffer> = {
      data: () => Buffer.alloc(0),
      'data.gz': () => zeros(size),
      'all.tar': () => tarOf({ name: 'data', size }).subarray(0, 512),
    };
    await writeFile(path, content[name]?.() ?? '');
    if (name !== 'data.gz')
      await open(path, 'r+').then((opened) => opened.truncate(size + 1536).finally(() => opened.close()));
    const { error, mebibytes } = measured('find', name === 'all.tar' ? path : folder, 'data');
    expect(error).toMatchObject({ code: 'DatasetCorrupt', message: expect.stringContaining('256 MiB') });
    // What was unzipped until it was too much is one block of memory.
    expect(mebibytes).toBeLessThan((await least()) + margin + (name === 'data.gz' ? 600 : 0));
    await expect(findFiles(folder, { names: ['other'] })).rejects.toMatchObject({
      code: 'DatasetUnavailable',
    });
  });
});
