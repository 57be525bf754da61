import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DestillError } from '@destillml/core/errors.ts';
import { diskError, writingSync } from '@destillml/trainer/storage/disk.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeWithMounts, withMounts } from '../../mounts.ts';
import { tar } from '../data/made-files.ts';

const main = fileURLToPath(new URL('writing/main.ts', import.meta.url));

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'destill-disk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a process says that writes to a folder with a volume mounted there, and what is in it then. */
function written(
  what: string,
  mount: (volume: string) => string,
  name: string,
  before: readonly string[] = [],
) {
  const folder = temporary();
  const volume = join(folder, 'volume');
  const source = join(folder, 'a.tar');
  const list = join(folder, 'list');
  mkdirSync(volume);
  writeFileSync(source, tar({ 'train/1.jpg': Buffer.alloc(1 << 20, 1) }));
  const path = join(volume, name);
  const [program, ...args] = withMounts(mount(volume), `find ${volume} -mindepth 1 > ${list}`);
  const command = [...args, ...before, process.execPath, main, what, path, source];
  const answer: unknown = JSON.parse(execFileSync(program, command, { encoding: 'utf8' }));
  const left = readFileSync(list, 'utf8').split('\n').filter(Boolean);
  return { answer, path, volume, left: left.map((each) => each.slice(volume.length + 1)) };
}

const works: readonly (readonly [what: string, name: string, stays: readonly string[]])[] = [
  ['writeAtomic', 'run/last.safetensors', ['run']],
  ['writeAside', 'photos', []],
  ['extract', 'photos', []],
  // What arrived is gone on from.
  ['fetchFile', 'photos.tar', ['photos.tar.partial']],
];

describeWithMounts('on a volume that is full (real mounts: needs root)', () => {
  it.each(works)(
    '%s says StorageFull, with path, volume and room, and leaves nothing half-written',
    (what, name, stays) => {
      const small = (volume: string) => `mount -t tmpfs -o size=256k tmpfs ${volume}`;
      const { answer, path, volume, left } = written(what, small, name);
      expect(answer).toEqual({
        code: 'StorageFull',
        message: expect.stringMatching(
          `^${path}[^ ]*: there is no room for it on the volume at ${volume} \\([0-9.]+ K?i?B of 256 KiB free\\)\\. Make room there`,
        ),
      });
      expect(left).toEqual(stays);
    },
  );

  it('appendHistory and takeLock say so, too', () => {
    const small = (volume: string) => `mount -t tmpfs -o size=64k tmpfs ${volume}`;
    expect(written('appendHistory', small, '').answer).toMatchObject({ code: 'StorageFull' });
    const filled = (volume: string) =>
      `${small(volume)}; dd if=/dev/zero of=${volume}/other bs=64k count=1 2>/dev/null`;
    const { answer, left } = written('takeLock', filled, '');
    expect(answer).toMatchObject({ code: 'StorageFull' });
    expect(left).toEqual(['other']);
  });

  it('of files rather than bytes, it says that', () => {
    const mount = (volume: string) => `mount -t tmpfs -o size=1m,nr_inodes=1 tmpfs ${volume}`;
    expect(written('makeFolder', mount, 'run').answer).toMatchObject({
      code: 'StorageFull',
      message: expect.stringContaining('free, no file more)'),
    });
  });
});

describeWithMounts('on a volume that is read-only (real mounts: needs root)', () => {
  const readOnly: Record<string, (volume: string) => string> = {
    'a volume of its own': (volume) => `mount -t tmpfs -o ro tmpfs ${volume}`,
    'a folder of a volume': (volume) =>
      `mount --bind ${volume} ${volume}; mount -o remount,bind,ro ${volume}`,
  };

  for (const [where, mount] of Object.entries(readOnly)) {
    it.each([...works, ['makeFolder', 'run', []] as const, ['takeLock', 'lock', []] as const])(
      `%s says StorageReadOnly, with path and volume: ${where}`,
      (what, name) => {
        const { answer, volume, left } = written(what, mount, name);
        expect(answer).toEqual({
          code: 'StorageReadOnly',
          message: expect.stringMatching(
            `^${volume}/.*: the volume at ${volume} is read-only\\. Mount it for writing, or name another folder\\.`,
          ),
        });
        expect(left).toEqual([]);
      },
    );
  }

  it('and where its user may not write', () => {
    const asUser = ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups'];
    const mount = (volume: string) =>
      `chmod 755 ${volume} ${join(volume, '..')}; mount -t tmpfs -o mode=755 tmpfs ${volume}`;
    const { answer, path } = written('writeAtomic', mount, 'last', asUser);
    expect(answer).toEqual({
      code: 'StorageReadOnly',
      message: `${path}: user 12345 may not write there. Give that user the right, or name another folder.`,
    });
  });
});

describe('what the system says', () => {
  const error = (code: string) => Object.assign(new Error(`${code}: …, write`), { code, syscall: 'write' });
  it.each([
    ['EDQUOT', 'StorageFull', 'the quota on the volume at'],
    ['EFBIG', 'StorageFull', 'files may not be that large here'],
    ['EPERM', 'StorageReadOnly', 'may not write there'],
    ['EIO', 'StorageUnavailable', 'answers with an error (EIO)'],
    ['ESTALE', 'StorageUnavailable', 'answers with an error (ESTALE)'],
    ['EMFILE', 'Environment', 'Raise "ulimit -n"'],
    ['ENFILE', 'Environment', 'too many files are open'],
    ['ENOMEM', 'OutOfMemory', 'no memory left'],
  ])('%s is %s', (code, expected, what) => {
    expect(() =>
      writingSync('/tmp/x', () => {
        throw error(code);
      }),
    ).toThrow(
      expect.objectContaining({
        code: expected,
        message: expect.stringContaining(what),
      }),
    );
  });

  it('stays what it is where nobody can mend it, or where it was said already', () => {
    const mended = new DestillError('DatasetCorrupt', 'x');
    expect(diskError(mended, '/x')).toBeUndefined();
    expect(diskError(error('ENOTDIR'), '/x')).toBeUndefined();
    // Without what was written, it may be that something cannot be read.
    expect(diskError(error('EACCES'))).toBeUndefined();
    expect(diskError(Object.assign(error('ENOSPC'), { path: '/etc/y' }))?.message).toMatch(/^\/etc\/y: /);
  });
});
