import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Client } from '../cluster/client.ts';

/** A volume for the claim of all Runs. */
export async function claim(client: Client): Promise<void> {
  const size = { storage: '1Ti' };
  await client.send('POST', '/api/v1/persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'experiments' },
    spec: {
      capacity: size,
      accessModes: ['ReadWriteMany'],
      hostPath: { path: '/none' },
      storageClassName: 'none',
    },
  });
  await client.send('POST', '/api/v1/namespaces/default/persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'experiments' },
    spec: {
      accessModes: ['ReadWriteMany'],
      resources: { requests: size },
      storageClassName: 'none',
      volumeName: 'experiments',
    },
  });
}

/** @param kubeconfig where it finds the API server, if not where the client does */
export async function startOperator(client: Client, kubeconfig = client.access.kubeconfig) {
  const flags = ['--kubeconfig', kubeconfig, '--leader-election', 'off', '--log-level', 'info'];
  const addresses = ['--server-bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0'];
  const limits = ['--qps', '5000', '--burst', '5000'];
  const main = join(import.meta.dirname, '../../operator/main.ts');
  // As operator/Dockerfile has it, in a container of 512 MiB.
  const nodeFlags = ['--max-semi-space-size=8', '--max-old-space-size=307', ...process.execArgv];
  const child: ChildProcess = spawn(
    process.execPath,
    [...nodeFlags, main, ...flags, ...addresses, ...limits],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  // Whoever ends the bench ends it, too.
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the operator ended with ${code}`)));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const { msg, port: listening, level } = JSON.parse(line);
      if (msg === 'listening') resolve(listening);
      if (level >= 40) console.error(line);
    });
  });
  return {
    metrics: async () => {
      const headers = { authorization: `Bearer ${client.access.tokens.admin}` };
      // Its certificate is made up; it was started here.
      const asked = get(`https://127.0.0.1:${port}/metrics`, { headers, rejectUnauthorized: false });
      const answer = await new Promise<IncomingMessage>((resolve, reject) =>
        asked.once('response', resolve).once('error', reject),
      );
      return await text(answer);
    },
    /** The most it ever was. */
    peakMiB: () => memory(child, 'VmHWM'),
    residentMiB: () => memory(child, 'VmRSS'),
    /** Files and connections that are open. */
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    stop: async () => {
      process.off('exit', end);
      end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

function memory({ pid }: ChildProcess, what: 'VmHWM' | 'VmRSS'): number {
  return (
    Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  );
}

/** Of all series of the name. */
export function total(metrics: string, name: string): number {
  const lines = [...metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
  return lines.reduce((sum, [, value]) => sum + Number(value), 0);
}
