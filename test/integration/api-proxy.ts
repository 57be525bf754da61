import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Access } from '../cluster/client.ts';

/** Picks requests by method and path, with its query. */
export type Picks = (method: string, path: string) => boolean;

/** Stands between an operator and the API server, and keeps requests waiting on the way; plain HTTP on loopback. */
export class ApiProxy {
  readonly url: string;
  readonly #access: Access;
  readonly #agent: Agent;
  #picks: Picks = () => false;
  #held: (() => void)[] = [];

  private constructor(access: Access, server: Server) {
    this.#access = access;
    this.#agent = new Agent({ ca: access.ca, keepAlive: true });
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, outgoing) => this.#take(incoming, outgoing));
  }

  /** It ends with the test. */
  static async start(access: Access): Promise<ApiProxy> {
    const server = createServer();
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new ApiProxy(access, server);
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      proxy.#agent.destroy();
      server.close();
    });
    return proxy;
  }

  /** Requests that wait. */
  get held(): number {
    return this.#held.length;
  }

  /** From now on such requests wait; those that are on their way go on. */
  hold(picks: Picks): void {
    this.#picks = picks;
  }

  /** What waits goes on, and nothing waits any more. */
  release(): void {
    this.#picks = () => false;
    for (const pass of this.#held.splice(0)) pass();
  }

  #take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const pass = () => this.#pass(incoming, outgoing);
    if (this.#picks(incoming.method ?? '', incoming.url ?? '')) this.#held.push(pass);
    else pass();
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, headers, url = '' } = incoming;
    const target = new URL(url, this.#access.url);
    const passed = httpsRequest(
      target,
      { method, headers: { ...headers, host: target.host }, agent: this.#agent },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        answer.pipe(outgoing);
        answer.once('error', () => outgoing.destroy());
      },
    );
    passed.once('error', () => outgoing.destroy());
    outgoing.once('close', () => passed.destroy());
    incoming.pipe(passed);
  }
}
