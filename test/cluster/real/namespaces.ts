import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Launch } from '../child.ts';
import type { Folder } from '../folder.ts';
import { waitFor } from '../wait.ts';
import { childrenOf, isAlive, kill, type ProcessId, processId } from './process-id.ts';

/**
 * Namespaces of the cluster's own, for processes, mounts and the network: what runs in them listens, mounts and sets
 * nothing outside. They end with their first process: the kernel then kills all others, and undoes what they mounted.
 */
export type Namespaces = {
  /** The process outside that started the first one inside, and takes it along when it is killed. */
  readonly keeper: ProcessId;
  /** The first process inside, by its id outside. */
  readonly init: ProcessId;
};

/**
 * They outlive this process.
 *
 * @param init the program that waits for orphans
 * @param started is told at once, so that it can be remembered, of what has to be killed to end them
 */
export async function createNamespaces(
  folder: Folder,
  init: string,
  started: (keeper: ProcessId) => void,
): Promise<Namespaces> {
  const kinds = [
    '--net',
    '--mount',
    '--pid',
    '--propagation',
    'slave',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const setUp = join(import.meta.dirname, 'namespaces.sh');
  const flags = [...kinds, setUp, folder.path, init];
  const process_ = spawn('unshare', flags, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  process_.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  const [keeper] = identified(process_.pid);
  if (keeper) started(keeper);

  const isReady = await Promise.race([
    once(process_.stdout, 'data').then(() => true),
    once(process_, 'exit').then(() => false),
  ]);
  process_.stdout.destroy();
  process_.stderr.destroy();
  process_.unref();
  const [first] = keeper ? identified(...childrenOf(keeper.pid)) : [];
  if (!(isReady && keeper && first)) {
    throw new Error(`the cluster's namespaces could not be made: ${errors}`);
  }
  return { keeper, init: first };
}

/** How something is started in them, so that it goes on without this process. */
export function inside({ init }: Pick<Namespaces, 'init'>): Launch {
  const enter = ['nsenter', `--target=${init.pid}`, '--net', '--mount', '--pid'];
  return { command: [...enter, 'setpriv', '--pdeathsig', 'KILL'], detached: true };
}

/** Ends everything in them, at once. */
export async function endNamespaces({ keeper, init }: Partial<Namespaces>): Promise<void> {
  const ends = [keeper, init].filter((process_) => process_ !== undefined);
  ends.forEach(kill);
  // The first process ends last: when it has ended, so have all others.
  await waitFor('the processes of the cluster to end', () => !ends.some(isAlive) || undefined);
}

function identified(...pids: readonly (number | undefined)[]): ProcessId[] {
  return pids.flatMap((pid) => (pid === undefined ? [] : (processId(pid) ?? [])));
}
