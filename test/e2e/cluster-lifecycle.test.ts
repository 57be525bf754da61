import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bringUp, connect, dataFolder, serverStates, takeDown } from '../cluster/real/cluster.ts';
import { processId } from '../cluster/real/process-id.ts';
import { removeRecord, writeRecord } from '../cluster/real/record.ts';
import { run } from '../cluster/real/run.ts';
import { waitFor } from '../cluster/wait.ts';

const up = async () => {
  const client = await bringUp({ install: process.env.CI === 'true', say: console.log });
  const { metadata } = await client.send<{ metadata: { uid: string } }>(
    'GET',
    '/api/v1/namespaces/kube-system',
  );
  client.close();
  return metadata.uid;
};

describe('the cluster', () => {
  let before: Machine;
  let uid: string;
  beforeAll(async () => {
    await takeDown();
    before = await machine();
    uid = await up();
  });

  it('is left alone when it is brought up again', async () => {
    expect(await up()).toBe(uid);
  });

  it('listens, mounts and sets nothing but in namespaces of its own', async () => {
    const now = await machine();
    expect(now.links).toEqual([...before.links, 'dml-cluster'].sort());
    expect(now.settings).toEqual(before.settings);
    expect(now.mounts).toEqual(before.mounts);
    expect(now.tables).toEqual(before.tables);
    expect(now.networkNamespaces).toEqual(before.networkNamespaces);
    for (const port of [2379, 6443, 10250, 10256]) expect(listening()).not.toContain(port);
  });

  it('is made anew when a server of it has died', async () => {
    const kubelet = processesOf(dataFolder).find(({ program }) => program === 'kubelet');
    process.kill(kubelet!.pid, 'SIGKILL');
    await waitFor('the kubelet to be missed', () => serverStates().kubelet === false || undefined);
    await expect(connect()).rejects.toThrow('the cluster is not up: run "make cluster"');
    expect(await up()).not.toBe(uid);
  });

  it('leaves nothing behind', async () => {
    await takeDown();
    expect(await machine()).toEqual(before);
    expect(processesOf(dataFolder)).toEqual([]);
    expect(existsSync(dataFolder)).toBe(false);
    await expect(connect()).rejects.toThrow('the cluster is not up');
  });

  it('need not be there to be taken down', async () => {
    await takeDown();
    expect(await machine()).toEqual(before);
  });
});

describe("another folder's cluster", () => {
  it('is neither replaced nor taken down', async () => {
    writeRecord({ folder: '/elsewhere', keeper: processId(process.pid)! });
    try {
      const refusal = 'another cluster is up on this machine, that of /elsewhere';
      await expect(bringUp()).rejects.toThrow(refusal);
      await expect(takeDown()).rejects.toThrow(refusal);
      await expect(connect()).rejects.toThrow(refusal);
    } finally {
      removeRecord();
    }
  });
});

type Machine = Awaited<ReturnType<typeof machine>>;

/** What a cluster could change of this machine. */
async function machine() {
  const links: { readonly ifname: string }[] = JSON.parse(await run('ip', '-json', 'link'));
  return {
    links: links.map(({ ifname }) => ifname).sort(),
    routes: await run('ip', 'route'),
    networkNamespaces: await run('ip', 'netns'),
    tables: await run('nft', 'list', 'tables'),
    mounts: mounts(),
    groups: foldersBelow('/sys/fs/cgroup').filter((path) => path.includes('destillml')),
    files: ['/run', '/var/lib', '/var/log', '/etc', '/opt'].map((folder) => readdirSync(folder)),
    settings: settings.map((name) => readFileSync(`/proc/sys/${name}`, 'utf8').trim()),
  };
}

/** Those that a kubelet or a network plugin changes where it may. */
const settings = [
  'net/ipv4/ip_forward',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/** All but those of images that are being built meanwhile. */
function mounts(): string[] {
  const lines = readFileSync('/proc/mounts', 'utf8').split('\n');
  return lines.filter((line) => !line.includes('/.tools/images/'));
}

/** Others' control groups come and go while one looks. */
function foldersBelow(folder: string): string[] {
  const entries = readIfThere(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [path, ...foldersBelow(path)] : [];
  });
}

function readIfThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // ESRCH is what /proc says of a process that ended, ENODEV a control group that was removed.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ENOTDIR', 'ENODEV', 'ESRCH'].includes(code)) return undefined;
    throw error;
  }
}

/** Ports that somebody listens on in the machine's own network. */
function listening(): number[] {
  const sockets = ['tcp', 'tcp6'].flatMap((file) =>
    readFileSync(`/proc/net/${file}`, 'utf8').trim().split('\n'),
  );
  const fields = sockets.map((line) => line.trim().split(/\s+/));
  return fields.flatMap(([, local = '', , state]) =>
    state === '0A' ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [],
  );
}

/** Programs that run with something in their command line. */
function processesOf(text: string): { readonly pid: number; readonly program: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    const words = commandLine(name);
    if (!words.some((word) => word.includes(text))) return [];
    return [{ pid: Number(name), program: basename(words[0] ?? '') }];
  });
}

function commandLine(pid: string): string[] {
  return readIfThere(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')) ?? [];
}
