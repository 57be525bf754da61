import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeImage } from './images.ts';

describe('an image of a program', () => {
  let folder: string;
  const file = (name: string) => join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'destillml-image-'));
    writeFileSync(file('program'), '#!/bin/sh\n', { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const image = () => ({
    name: 'localhost/image:1',
    program: file('program'),
    aliases: ['alias'],
    command: ['run', 'it'],
  });
  const unpack = (archive: string) =>
    execFileSync('tar', ['--extract', `--file=${archive}`], { cwd: folder });

  it('is an archive as "docker save" writes it, with the program in /bin', async () => {
    await writeImage(image(), file('image.tar'));
    expect(readdirSync(folder).sort()).toEqual(['image.tar', 'program']);
    unpack(file('image.tar'));
    const [{ Config, RepoTags, Layers }] = JSON.parse(readFileSync(file('manifest.json'), 'utf8'));
    const { config, rootfs } = JSON.parse(readFileSync(file(Config), 'utf8'));
    expect(RepoTags).toEqual(['localhost/image:1']);
    expect(config).toEqual({ Env: ['PATH=/bin'], Cmd: ['run', 'it'] });
    const layer = readFileSync(file(Layers[0]));
    expect(rootfs.diff_ids).toEqual([`sha256:${createHash('sha256').update(layer).digest('hex')}`]);
    const listing = execFileSync('tar', [
      '--list',
      '--verbose',
      '--numeric-owner',
      `--file=${file(Layers[0])}`,
    ]);
    const entries = listing
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +\S+ \S+ \S+ /, ' '));
    expect(entries).toEqual([
      'drwxr-xr-x 0/0 ./',
      'drwxr-xr-x 0/0 ./bin/',
      'lrwxrwxrwx 0/0 ./bin/alias -> run',
      '-rwxr-xr-x 0/0 ./bin/run',
      'drwxrwxrwt 0/0 ./tmp/',
    ]);
  });

  it('is written again only when its program has changed', async () => {
    const archive = file('image.tar');
    await writeImage(image(), archive);
    writeFileSync(archive, 'kept');
    await writeImage(image(), archive);
    expect(readFileSync(archive, 'utf8')).toBe('kept');
    const later = Date.now() / 1000 + 60;
    utimesSync(file('program'), later, later);
    await writeImage(image(), archive);
    expect(readFileSync(archive).length).toBeGreaterThan(1000);
  });
});
