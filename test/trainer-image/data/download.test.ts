import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DownloadDeps, download, type Progress } from '@destillml/trainer/data/download.ts';
import { describe, expect, it } from 'vitest';
import { serveFile } from './file-server.ts';
import { pixel, sha256, temporaryFolder } from './made-files.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => pixel(1, i)));
const checksum = sha256(content);

function depsWith(more: Partial<DownloadDeps> = {}): DownloadDeps & { readonly waits: number[] } {
  const waits: number[] = [];
  return { fetch, wait: async (milliseconds) => waits.push(milliseconds), waits, ...more };
}

describe('download', () => {
  it('puts the file in place, tells how far it is, and does not fetch it twice', async () => {
    const server = await serveFile(content);
    const target = join(await temporaryFolder(), 'sub', 'data.bin');
    const seen: Progress[] = [];
    const deps = depsWith({ onProgress: (progress) => seen.push(progress) });
    await download(server.url, checksum, target, deps);
    expect(await readFile(target)).toEqual(content);
    const downloading = seen.filter(({ step }) => step === 'download');
    expect(downloading.at(-1)).toEqual({ step: 'download', what: server.url, done: 300_000, total: 300_000 });
    await download(server.url, checksum, target, deps);
    expect(server.ranges).toEqual(['']);
    expect(await readdir(join(target, '..'))).toEqual(['data.bin']);
  });

  it('goes on where the connection was cut', async () => {
    const server = await serveFile(content, { cutAfter: [100_000, 50_000] });
    const target = join(await temporaryFolder(), 'data.bin');
    const deps = depsWith({ onProgress: server.onProgress });
    await download(server.url, checksum, target, deps);
    expect(await readFile(target)).toEqual(content);
    expect(server.ranges).toEqual(['', 'bytes=100000-', 'bytes=150000-']);
    expect(deps.waits).toEqual([1000, 1000]);
  });

  it('begins anew where the server does not know ranges', async () => {
    const server = await serveFile(content, { cutAfter: [100_000], ignoresRange: true });
    const target = join(await temporaryFolder(), 'data.bin');
    await download(server.url, checksum, target, depsWith({ onProgress: server.onProgress }));
    expect(await readFile(target)).toEqual(content);
  });

  it('gives up after five attempts without a new byte, and the next call goes on from there', async () => {
    const cut = await serveFile(content, { cutAfter: [100_000, 0, 0, 0, 0, 0] });
    const target = join(await temporaryFolder(), 'data.bin');
    const deps = depsWith({ onProgress: cut.onProgress });
    await expect(download(cut.url, checksum, target, deps)).rejects.toMatchObject({
      code: 'DatasetUnavailable',
      message: expect.stringMatching(
        /download stopped at byte 100000: .*\. Start again to go on from there\.$/,
      ),
    });
    expect(deps.waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    await expect(stat(target)).rejects.toThrow('ENOENT');
    const whole = await serveFile(content);
    await download(whole.url, checksum, target, depsWith());
    expect(whole.ranges).toEqual(['bytes=100000-']);
    expect(await readFile(target)).toEqual(content);
  });

  it('finishes a download that had all bytes but was not put in place', async () => {
    const server = await serveFile(content);
    const target = join(await temporaryFolder(), 'data.bin');
    await writeFile(`${target}.partial`, content);
    await download(server.url, checksum, target, depsWith());
    expect(await readFile(target)).toEqual(content);
  });

  it('throws away what is longer than the file', async () => {
    const server = await serveFile(content);
    const target = join(await temporaryFolder(), 'data.bin');
    await writeFile(`${target}.partial`, Buffer.concat([content, content]));
    await download(server.url, checksum, target, depsWith());
    expect(await readFile(target)).toEqual(content);
  });

  it('refuses and removes a file with another checksum', async () => {
    const server = await serveFile(content);
    const folder = await temporaryFolder();
    const wrong = 'ab'.repeat(32);
    await expect(download(server.url, wrong, join(folder, 'data.bin'), depsWith())).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: `${server.url}: the download has SHA-256 ${checksum}, dataset.source.http.sha256 says ${wrong}. It was removed. Correct the checksum if the file at this address is the one you want, or start again.`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('fetches again a file that has changed on the disk', async () => {
    const server = await serveFile(content);
    const target = join(await temporaryFolder(), 'data.bin');
    await writeFile(target, 'something else');
    await download(server.url, checksum, target, depsWith());
    expect(await readFile(target)).toEqual(content);
  });

  it('tries again when the server is busy, and says at once that an address is wrong', async () => {
    const busy = await serveFile(content, { status: [503, 200] });
    const target = join(await temporaryFolder(), 'data.bin');
    await download(busy.url, checksum, target, depsWith());
    expect(busy.ranges.length).toBe(2);
    const wrong = await serveFile(content, { status: [404] });
    await expect(download(wrong.url, checksum, `${target}2`, depsWith())).rejects.toMatchObject({
      code: 'DatasetUnavailable',
      message: `${wrong.url}: the server answered 404 Not Found. Check dataset.source.http.url.`,
    });
  });

  it('lets two processes fetch the same file at once', async () => {
    const server = await serveFile(content, { cutAfter: [100_000, 120_000, 90_000] });
    const folder = await temporaryFolder();
    const target = join(folder, 'data.bin');
    await Promise.all([
      download(server.url, checksum, target, depsWith({ onProgress: server.onProgress })),
      download(server.url, checksum, target, depsWith({ onProgress: server.onProgress })),
    ]);
    expect(await readFile(target)).toEqual(content);
    expect(await readdir(folder)).toEqual(['data.bin']);
  });

  it('stops with the reason of the signal', async () => {
    const server = await serveFile(content, { cutAfter: [100_000] });
    const target = join(await temporaryFolder(), 'data.bin');
    const controller = new AbortController();
    const deps = depsWith({
      signal: controller.signal,
      onProgress: ({ done }) => done === 100_000 && controller.abort(new Error('preempted')),
    });
    await expect(download(server.url, checksum, target, deps)).rejects.toThrow('preempted');
    await expect(stat(target)).rejects.toThrow('ENOENT');
  });

  it('goes on after the process was killed', async () => {
    const stalling = await serveFile(content, { cutAfter: [100_000] });
    const folder = await temporaryFolder();
    const target = join(folder, 'data.bin');
    const script = `
      const { download } = await import('@destillml/trainer/data/download.ts');
      const onProgress = ({ done }) => done === 100000 && process.stdout.write('halfway');
      await download('${stalling.url}', '${checksum}', '${target}', { fetch, wait: () => undefined, onProgress });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await readdir(folder)).toEqual(['data.bin.partial']);
    const whole = await serveFile(content);
    await download(whole.url, checksum, target, depsWith());
    expect(whole.ranges).toEqual(['bytes=100000-']);
    expect(await readFile(target)).toEqual(content);
    expect(await readdir(folder)).toEqual(['data.bin']);
  });
});
