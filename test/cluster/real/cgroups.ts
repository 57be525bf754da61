import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../wait.ts';

const name = 'destillml-cluster';

/** The group that all pods are in, as the kubelet wants to be told of it. */
export const cgroupRoot = `/${name}`;

/** Makes the group in every hierarchy, of control groups of version 1 or 2. */
export function createCgroups(): void {
  // In version 2 a group's parent says what can be limited in it.
  const root = '/sys/fs/cgroup/cgroup.subtree_control';
  if (existsSync(root)) writeFileSync(root, '+cpu +cpuset +memory +pids');
  for (const path of paths()) mkdirSync(path, { recursive: true });
}

/** Removes the group and all in it, once the kernel has taken note that their processes have ended. */
export async function removeCgroups(): Promise<void> {
  await waitFor('the control groups of the cluster to be empty', () => {
    try {
      paths().filter(existsSync).forEach(removeTree);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return undefined;
      throw error;
    }
  });
}

/** The group's folder in each hierarchy: runc makes it in all that are mounted. */
function paths(): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts
    .map((line) => line.split(' '))
    .flatMap(([, path = '', type = '']) => (/^cgroup2?$/.test(type) ? [join(path, name)] : []));
}

/** A control group is removed as an empty folder, though it has files. */
function removeTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  }
  rmdirSync(path);
}
