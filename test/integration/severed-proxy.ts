import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request, Agent as SecureAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Access } from '../cluster/client.ts';
import { plainKubeconfig } from '../cluster/credentials.ts';

/** At which write a client is cut off, and whether the API server still gets it. */
export type Cut = { readonly write: number; readonly when: 'before' | 'after' };

/**
 * The way of one client to the API server, which ends like the life of a killed process: at a given write, before
 * it has left or after it has arrived. Nothing gets through from then on, in either direction.
 *
 * Writes are all requests that change objects; Events, Leases and reviews of access do not count.
 */
export class SeveredProxy {
  /** Path of a kubeconfig that leads here. */
  readonly kubeconfig: string;
  /** Resolved when the client has been cut off. */
  readonly severed: Promise<void>;
  /** Writes that the API server got, such as `POST runs`. */
  readonly writes: string[] = [];
  readonly #access: Access;
  readonly #server: Server;
  readonly #folder: string;
  readonly #cut: Cut | undefined;
  readonly #upstream: SecureAgent;
  #attempts = 0;
  #isSevered = false;
  #tell: () => void = () => undefined;

  private constructor(access: Access, server: Server, cut: Cut | undefined) {
    this.#access = access;
    this.#server = server;
    this.#cut = cut;
    this.#upstream = new SecureAgent({ ca: access.ca, keepAlive: true });
    this.#folder = mkdtempSync(join(tmpdir(), 'severed-'));
    this.kubeconfig = join(this.#folder, 'kubeconfig');
    this.severed = new Promise((resolve) => {
      this.#tell = resolve;
    });
    const { port } = server.address() as AddressInfo;
    writeFileSync(this.kubeconfig, plainKubeconfig(`http://127.0.0.1:${port}`, access.tokens.admin));
  }

  /** @param cut never, if undefined */
  static async open(access: Access, cut?: Cut): Promise<SeveredProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new SeveredProxy(access, server, cut);
    server.on('request', (incoming, answer) => proxy.#pass(incoming, answer));
    return proxy;
  }

  async close(): Promise<void> {
    this.#sever();
    this.#upstream.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true });
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const write = nameOfWrite(incoming);
    if (write !== undefined) this.#attempts += 1;
    const isLast = write !== undefined && this.#attempts === this.#cut?.write;
    if (this.#isSevered || (isLast && this.#cut?.when === 'before')) {
      this.#sever();
      return;
    }
    // Sent at the same time as the last one, and a little later: it has not left.
    if (write !== undefined && this.#cut !== undefined && this.#attempts > this.#cut.write) return;
    if (write !== undefined) this.writes.push(write);
    const { method, headers, url } = incoming;
    const outgoing = request(
      new URL(url ?? '', this.#access.url),
      { method, headers, agent: this.#upstream },
      (response) => {
        if (isLast) {
          // It has arrived and is done; nobody learns of it.
          response.resume().once('end', () => this.#sever());
          return;
        }
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    outgoing.once('error', () => answer.destroy());
    answer.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  #sever(): void {
    this.#isSevered = true;
    this.#server.closeAllConnections();
    this.#tell();
  }
}

function nameOfWrite({ method = 'GET', url = '' }: IncomingMessage): string | undefined {
  if (method === 'GET') return undefined;
  const [, kind] = /\/(runs|experiments|jobs)\b/.exec(url) ?? [];
  return kind === undefined ? undefined : `${method} ${kind}${/\/status\b/.test(url) ? '/status' : ''}`;
}
