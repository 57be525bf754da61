import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Launch } from '../child.ts';
import { waitFor } from '../wait.ts';
import { run } from './run.ts';

/** An image that holds nothing but a program that needs nothing else. */
export type ProgramImage = {
  /** Such as `localhost/pause:1`. */
  readonly name: string;
  /** Path of the program on this machine; in the image it is in /bin. */
  readonly program: string;
  /** Other names of the program in the image's /bin. */
  readonly aliases?: readonly string[];
  readonly command: readonly string[];
};

/** Writes the image in the format of `docker save`, unless the file is there and newer than what it is made of. */
export async function writeImage(image: ProgramImage, archive: string): Promise<void> {
  if (isNewer(archive, image.program, import.meta.filename)) return;
  mkdirSync(dirname(archive), { recursive: true });
  const work = mkdtempSync(`${archive}.`);
  try {
    await run(
      'tar',
      ...reproducible,
      '--create',
      `--file=${work}/layer.tar`,
      `--directory=${root(image, work)}`,
      '.',
    );
    const layer = createHash('sha256')
      .update(readFileSync(join(work, 'layer.tar')))
      .digest('hex');
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: image.command },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    };
    const manifest = [{ Config: 'config.json', RepoTags: [image.name], Layers: ['layer.tar'] }];
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest));
    const parts = ['manifest.json', 'config.json', 'layer.tar'];
    await run(
      'tar',
      ...reproducible,
      '--create',
      `--file=${work}/image.tar`,
      `--directory=${work}`,
      ...parts,
    );
    renameSync(join(work, 'image.tar'), archive);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Whether the file is there, and was made after all that it was made of. */
export function isNewer(file: string, ...sources: readonly string[]): boolean {
  return existsSync(file) && sources.every((source) => statSync(source).mtimeMs < statSync(file).mtimeMs);
}

/**
 * Gives the images of an archive (`docker save`, `buildah push docker-archive:`) to the cluster's containerd, so that
 * the kubelet finds them if it need not pull them.
 *
 * @param inside how to start something in the cluster's namespaces
 * @returns their names, such as `docker.io/destillml/trainer:0.1.0-cpu`
 */
export async function importArchive({ command }: Launch, archive: string): Promise<string[]> {
  const ctr = [...command, 'ctr', '--namespace', 'k8s.io', 'images'];
  // Opened out here: inside, not all folders are the same.
  const printed = await run('sh', '-c', 'exec "$@" <"$0"', archive, ...ctr, 'import', '-');
  const names = [...printed.matchAll(/^unpacking (\S+) /gm)].map(([, name]) => name ?? '');
  if (names.length === 0) throw new Error(`${archive} holds no image with a name: ${printed}`);
  await waitFor('the kubelet to know the images', async () => {
    const lines = (await run('sh', '-c', 'exec "$@"', 'sh', ...ctr, 'list')).split('\n');
    const known = lines.filter((line) => line.includes('io.cri-containerd.image=managed'));
    return names.every((name) => known.some((line) => line.startsWith(`${name} `))) || undefined;
  });
  return names;
}

const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];

/** Folder with what the image holds. */
function root({ program, aliases = [], command }: ProgramImage, work: string): string {
  const path = join(work, 'root');
  const [name = ''] = command;
  mkdirSync(join(path, 'bin'), { recursive: true });
  mkdirSync(join(path, 'tmp'));
  chmodSync(join(path, 'tmp'), 0o1777);
  copyFileSync(program, join(path, 'bin', name));
  for (const alias of aliases) symlinkSync(name, join(path, 'bin', alias));
  return path;
}
