import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { binary } from './child.ts';
import { waitFor } from './wait.ts';

const definitions = join(import.meta.dirname, '../../crds');

/** How to reach a control plane; plain data, so that it can be handed to another process. */
export type Access = {
  /** Such as `https://127.0.0.1:24315`. */
  readonly url: string;
  /** Certificate of the server's authority, PEM. */
  readonly ca: string;
  /** Path of a kubeconfig of the administrator. */
  readonly kubeconfig: string;
  /** Bearer tokens: of a member of system:masters, and of somebody whom no role is bound to. */
  readonly tokens: { readonly admin: string; readonly user: string };
  /** Whether the controller manager runs: Jobs get pods, namespaces get their service account. */
  readonly controllers: boolean;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type Answer<Body> = { readonly status: number; readonly body: Body };

export type RequestOptions = {
  /** Whose request it is: `admin` unless told, `user`, or the bearer of another token. */
  readonly as?: 'admin' | 'user' | { readonly token: string };
  /** Media type of the body, such as `application/merge-patch+json`; JSON unless told. */
  readonly contentType?: string;
};

/** Whether the API server is away, broke off, or is only coming up. */
export function isAway(error: unknown): boolean {
  if (error instanceof Refusal) return error.status >= 500;
  return error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code));
}

/** An answer of the API server that is no success. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
  }
}

/** What tests do with a control plane. */
export class Client {
  readonly access: Access;
  readonly #agent: Agent;

  constructor(access: Access) {
    this.access = access;
    this.#agent = new Agent({ ca: access.ca, keepAlive: true });
  }

  /** Answer of the API server, whatever its status. The type of the body is the caller's word. */
  request<Body = unknown>(
    method: Method,
    path: string,
    body?: unknown,
    { as = 'admin', contentType = 'application/json' }: RequestOptions = {},
  ): Promise<Answer<Body>> {
    const token = typeof as === 'string' ? this.access.tokens[as] : as.token;
    const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      // Node.js states no length of its own for the body of a DELETE.
      ...(content === undefined
        ? {}
        : { 'content-type': contentType, 'content-length': Buffer.byteLength(content) }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.access.url),
        { method, headers, agent: this.#agent },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = incoming.headers['content-type']?.startsWith('application/json') ?? false;
            resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : text });
          });
        },
      );
      outgoing.once('error', reject);
      outgoing.end(content);
    });
  }

  /** Body of the answer. @throws Refusal with the API server's message, unless it is a success */
  async send<Body = unknown>(
    method: Method,
    path: string,
    body?: unknown,
    options?: RequestOptions,
  ): Promise<Body> {
    const answer = await this.request<Body>(method, path, body, options);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw new Refusal(answer.status, `${method} ${path}: ${answer.status} ${messageOf(answer.body)}`);
  }

  /** What kubectl prints. @throws Error with what it says is wrong */
  async kubectl(...flags: readonly string[]): Promise<string> {
    const { kubeconfig } = this.access;
    const own = ['--kubeconfig', kubeconfig, '--cache-dir', join(dirname(kubeconfig), 'kubectl')];
    const { stdout } = await promisify(execFile)(binary('kubectl'), [...own, ...flags], {
      env: { PATH: process.env.PATH },
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  }

  /** Installs crds/*.yaml, and waits until their objects are served. */
  async applyCrds(): Promise<void> {
    const files = readdirSync(definitions).filter((file) => file.endsWith('.yaml'));
    await Promise.all(files.map((file) => this.#applyCrd(file)));
  }

  /** A namespace of its own, in which pods can be made. @returns its name, which begins with `prefix` */
  async newNamespace(prefix: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const { metadata } = await this.send<Named>('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { generateName: `${prefix}-`, labels },
    });
    if (this.access.controllers) await this.#serviceAccount(metadata.name);
    return metadata.name;
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #applyCrd(file: string): Promise<void> {
    const name = file.replace(/^(.*?)\.(.*)\.yaml$/, '$1.$2');
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    const { spec } = await this.send<Definition>(
      'PATCH',
      `${path}?fieldManager=test&force=true`,
      readFileSync(join(definitions, file), 'utf8'),
      { contentType: 'application/apply-patch+yaml' },
    );
    const version = spec.versions.find(({ served }) => served)?.name;
    const objects = `/apis/${spec.group}/${version}/${spec.names.plural}?limit=1`;
    await waitFor(`${name} to be served`, async () => {
      const { status } = await this.request('GET', objects);
      return status === 200 ? true : undefined;
    });
  }

  async #serviceAccount(namespace: string): Promise<void> {
    await waitFor(`the service account of ${namespace}`, async () => {
      const { status } = await this.request('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`);
      return status === 200 ? true : undefined;
    });
  }
}

type Named = { readonly metadata: { readonly name: string } };

type Definition = {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
};

function messageOf(body: unknown): string {
  const isStatus = typeof body === 'object' && body !== null && 'message' in body;
  return String(isStatus ? body.message : body);
}
