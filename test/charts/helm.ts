import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { binary } from '../cluster/child.ts';
import type { Access } from '../cluster/client.ts';
import { toolEnvironment } from '../cluster/real/tools.ts';

export const chart = join(import.meta.dirname, '../../charts/destillml');

/** What is read of an object of the chart's. */
export type Rendered = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

export type RenderOptions = {
  readonly release?: string;
  readonly namespace?: string;
  /** Folder of the chart, if it is another. */
  readonly from?: string;
};

/** What helm prints. @param access of the cluster, for what needs one @throws Error with what it says is wrong */
export async function helm(args: readonly string[], access?: Access): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'destill-helm-'));
  const env =
    access === undefined ? { PATH: process.env.PATH, KUBECONFIG: '/dev/null' } : toolEnvironment(access);
  try {
    const { stdout } = await promisify(execFile)(binary('helm'), args, {
      env: { ...env, HOME: home },
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** What `helm template` prints. */
export function template(
  values: object = {},
  { release = 'lab', namespace = 'system', from = chart }: RenderOptions = {},
) {
  return helm(['template', release, from, '--namespace', namespace, '--set-json', JSON.stringify(values)]);
}

/** The objects in what helm printed. */
export function objectsIn(manifest: string): readonly Rendered[] {
  // Helm and Kubernetes read YAML 1.1.
  return parseAllDocuments(manifest, { version: '1.1' }).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS();
  });
}

/** The only one of that kind, and of that name if one is given. */
export function only(objects: readonly Rendered[], kind: string, name?: string): Rendered {
  const [found, ...others] = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (found === undefined || others.length > 0) throw new Error(`not one ${kind} ${name ?? ''} is there`);
  return found;
}
