import { join } from 'node:path';
import type { Launch } from '../child.ts';
import { Children } from '../children.ts';
import { Client } from '../client.ts';
import { Folder } from '../folder.ts';
import { controllersReady } from '../readiness.ts';
import { waitFor } from '../wait.ts';
import { createCgroups, removeCgroups } from './cgroups.ts';
import { createDns } from './dns.ts';
import { importArchive } from './images.ts';
import { createNamespaces, endNamespaces, inside } from './namespaces.ts';
import { checkAddressesAreFree, connectNetwork, networkGone } from './network.ts';
import { checkPackages } from './packages.ts';
import { checkWorks, startProbe } from './probe.ts';
import { isAlive, type ProcessId, processId } from './process-id.ts';
import { type Programs, preparePrograms } from './programs.ts';
import { alone, type ClusterRecord, readRecord, removeRecord, writeRecord } from './record.ts';
import { startContainerd, startControlPlane, startNodeServers } from './servers.ts';
import { nodeName } from './settings.ts';

/** Where the cluster keeps all it has; it is gone when the cluster is. */
export const dataFolder = join(import.meta.dirname, '../../../.tools/cluster-data');

/** `nvidia.com/gpu` of the node. Nothing is behind them: they are counted, and that is all. */
const gpus = '2';

export type UpOptions = {
  /** Whether to install Debian packages that are missing, rather than to say which. */
  readonly install?: boolean;
  /** Is told what is done, in sentences. */
  readonly say?: (what: string) => void;
};

/**
 * Brings up a cluster of one node, whose containers really run, and that goes on without this process; there can be one
 * on a machine. One that is up already is left alone; what is left of one that died is removed first. Needs root.
 *
 * @throws Error that says what is missing, or the end of the log of the server that did not come up
 */
export function bringUp({ install = false, say = () => undefined }: UpOptions = {}): Promise<Client> {
  return alone(async () => {
    if (process.getuid?.() !== 0) throw new Error('only root can bring up the cluster: it makes namespaces');
    await checkPackages(install, say);
    const record = readRecord();
    const standing = record && (await clientOf(record));
    if (standing) {
      say('The cluster is up already.');
      return standing;
    }
    if (record) say('Removing what is left of a cluster that died.');
    await clean(record);
    return create(say);
  });
}

/** Takes the cluster down, and removes all that it made. Does nothing if there is none. */
export function takeDown({ say = () => undefined }: Pick<UpOptions, 'say'> = {}): Promise<void> {
  return alone(async () => {
    const record = readRecord();
    await clean(record);
    say(record ? 'The cluster is down, and nothing is left of it.' : 'There was no cluster.');
  });
}

/**
 * The cluster that is up, once it is certain that it is the one that `bringUp` made from this folder.
 *
 * @throws Error if there is none
 */
export async function connect(): Promise<Client> {
  const record = readRecord();
  const client = record && (await clientOf(record));
  if (client === undefined) throw notUp();
  return client;
}

/** Gives the images of an archive to the node. @returns their names */
export function importImages(archive: string): Promise<string[]> {
  return importArchive(insideOf(readRecord()), archive);
}

/** Whether each server runs. */
export function serverStates(): Readonly<Record<string, boolean>> {
  const { up } = readRecord() ?? {};
  return Object.fromEntries(Object.entries(up?.servers ?? {}).map(([name, id]) => [name, isAlive(id)]));
}

/** @returns `undefined` unless all its servers run, and its API server is the one that was started for it */
async function clientOf(record: ClusterRecord): Promise<Client | undefined> {
  checkIsOurs(record);
  const { up } = record;
  if (!(up && Object.values(up.servers).every(isAlive))) return undefined;
  const client = new Client(up.access);
  try {
    if ((await uidOf(client)) === up.uid) return client;
  } catch {
    // It does not answer.
  }
  client.close();
  return undefined;
}

function insideOf(record: ClusterRecord | undefined): Launch {
  if (record) checkIsOurs(record);
  if (!(record?.init && isAlive(record.init))) throw notUp();
  return inside({ init: record.init });
}

function notUp(): Error {
  return new Error('the cluster is not up: run "make cluster"');
}

/** @throws Error if another checkout's cluster is up */
function checkIsOurs({ folder, keeper }: ClusterRecord): void {
  if (folder === dataFolder || keeper === undefined || !isAlive(keeper)) return;
  throw new Error(
    `another cluster is up on this machine, that of ${folder}: take it down there ("make cluster-down")`,
  );
}

async function uidOf(client: Client): Promise<string> {
  const { metadata } = await client.send<{ metadata: { uid: string } }>(
    'GET',
    '/api/v1/namespaces/kube-system',
  );
  return metadata.uid;
}

async function clean(record: ClusterRecord | undefined): Promise<void> {
  if (record) {
    checkIsOurs(record);
    await endNamespaces(record);
    await networkGone();
  }
  await removeCgroups();
  new Folder(dataFolder).remove();
  removeRecord();
}

async function create(say: (what: string) => void): Promise<Client> {
  const started = performance.now();
  await checkAddressesAreFree();
  const programs = await preparePrograms();
  const folder = new Folder(dataFolder);
  try {
    const client = await start(folder, programs);
    say(`The cluster is up: ${((performance.now() - started) / 1000).toFixed(1)} s.`);
    return client;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const advice = `What its servers say is in ${folder.path}/*.log; "make cluster-down" removes it.`;
    throw new Error(`the cluster did not come up: ${why}\n${advice}`, { cause: error });
  }
}

async function start(folder: Folder, programs: Programs): Promise<Client> {
  const remember = (more: Partial<ClusterRecord>) => writeRecord({ folder: folder.path, ...more });
  createCgroups();
  const namespaces = await createNamespaces(folder, programs.init, (keeper) => remember({ keeper }));
  remember(namespaces);
  const launch = inside(namespaces);
  await connectNetwork(namespaces, launch);

  const children = new Children(folder, launch);
  const [client] = await Promise.all([
    startControlPlane(folder, children),
    startContainerd(folder, children, namespaces).then(() => importAll(launch, programs.images)),
  ]);
  startNodeServers(folder, children);
  await Promise.all([createDns(client), giveGpus(client, children), controllersReady(client, children)]);
  await startProbe(client);
  await checkWorks(client, children);
  const up = { servers: identified(children), uid: await uidOf(client), access: client.access };
  remember({ ...namespaces, up });
  return client;
}

async function importAll(launch: Launch, archives: readonly string[]): Promise<void> {
  for (const archive of archives) await importArchive(launch, archive);
}

/** The kubelet leaves alone what it does not know, so that they stay. */
async function giveGpus(client: Client, children: Children): Promise<void> {
  const patch = ['capacity', 'allocatable'].map((list) => ({
    op: 'add',
    path: `/status/${list}/nvidia.com~1gpu`,
    value: gpus,
  }));
  await waitFor('the kubelet to register its node', async () => {
    children.check();
    const { status } = await client.request('PATCH', `/api/v1/nodes/${nodeName}/status`, patch, {
      contentType: 'application/json-patch+json',
    });
    return status === 200 || undefined;
  });
}

function identified(children: Children): Record<string, ProcessId> {
  const entries = Object.entries(children.pids).map(([name, pid]) => [name, processId(pid)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, ProcessId] => entry[1] !== undefined));
}
