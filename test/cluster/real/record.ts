import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** What is remembered of the cluster, of which there is one on a machine: its addresses and its control group are fixed. */
const file = '/run/destillml-cluster.json';

const processId = z.object({ pid: z.number(), started: z.string() });

const recordSchema = z.object({
  /** The data folder. */
  folder: z.string(),
  keeper: processId.exactOptional(),
  init: processId.exactOptional(),
  /** Present once the cluster is up. */
  up: z
    .object({
      servers: z.record(z.string(), processId),
      /** `uid` of the namespace kube-system: no other cluster has it. */
      uid: z.string(),
      access: z.object({
        url: z.string(),
        ca: z.string(),
        kubeconfig: z.string(),
        tokens: z.object({ admin: z.string(), user: z.string() }),
        controllers: z.boolean(),
      }),
    })
    .exactOptional(),
});

export type ClusterRecord = z.infer<typeof recordSchema>;

export function readRecord(): ClusterRecord | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return recordSchema.parse(JSON.parse(text));
}

export function writeRecord(record: ClusterRecord): void {
  writeFileSync(`${file}.partial`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.partial`, file);
}

export function removeRecord(): void {
  rmSync(file, { force: true });
}

/** Lets nobody else change the cluster meanwhile. The lock goes with this process, if not before, and leaves no file. */
export async function alone<T>(change: () => Promise<T>): Promise<T> {
  const lock = openSync(import.meta.filename, 'r');
  try {
    // It belongs to the open file, which this process shares with the program.
    execFileSync('flock', ['3'], { stdio: ['ignore', 'ignore', 'inherit', lock] });
    return await change();
  } finally {
    closeSync(lock);
  }
}
