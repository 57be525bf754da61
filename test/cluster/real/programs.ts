import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { binary } from '../child.ts';
import { dnsImage } from './dns.ts';
import { isNewer, type ProgramImage, writeImage } from './images.ts';
import { run } from './run.ts';
import { pauseImage, servers } from './settings.ts';

/** An image with the usual small programs, `sh` and `nc` among them. */
export const shellImage = 'localhost/shell:1';

/** What the cluster runs beside the servers of Kubernetes. */
export type Programs = {
  /** Path of the first process of a namespace. */
  readonly init: string;
  /** Archives of the images that the node has from the start. */
  readonly images: readonly string[];
};

const made = join(import.meta.dirname, '../../../.tools/cluster');

/** Makes what is not there yet, or older than what it is made of. @throws Error if a server is not built */
export async function preparePrograms(): Promise<Programs> {
  ['etcd', 'kube-apiserver', 'kubectl', ...Object.keys(servers)].forEach(binary);
  const init = await compile(join(import.meta.dirname, 'init.c'), join(made, 'init'));
  const busybox = '/bin/busybox';
  const aliases = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  const images: ProgramImage[] = [
    { name: pauseImage, program: init, command: ['pause'] },
    { name: dnsImage, program: binary('coredns'), command: ['coredns'] },
    {
      name: shellImage,
      program: busybox,
      aliases: aliases.filter((name) => name !== 'busybox'),
      command: ['busybox', 'sh'],
    },
  ];
  const archives = images.map(({ command: [name] }) => join(made, `${name}.tar`));
  await Promise.all(images.map((image, index) => writeImage(image, archives[index] ?? '')));
  return { init, images: archives };
}

/** A program that needs no library. */
async function compile(source: string, program: string): Promise<string> {
  if (!isNewer(program, source))
    await run('gcc', '-static', '-Os', '-s', '-Wall', '-Werror', '-o', program, source);
  return program;
}
