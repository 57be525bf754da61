import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export type Received = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
};

export type Reply = (response: ServerResponse, request: Received) => void;

/** An HTTP server that answers as a test tells it: for what the real API server does not do on demand. */
export class HttpApi {
  readonly received: Received[] = [];
  readonly replies: Reply[] = [];
  /** Connections that were made to it. */
  connections = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A kubeconfig that leads here, for a user with that token. */
  config(token = 'secret'): KubeConfig {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'test', server: `http://${this.host}`, skipTLSVerify: true },
      { name: 'test', token },
    );
    return config;
  }

  /** Cuts connections, whatever goes on in them. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const received: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.received.push(received);
    const reply = this.replies.shift() ?? json(404, { kind: 'Status', code: 404, reason: 'NotFound' });
    reply(response, received);
  }
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** These values, one a line; the answer stays open unless told. */
export function lines(values: readonly unknown[], end = false): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const value of values) response.write(`${JSON.stringify(value)}\n`);
    if (end) response.end();
  };
}

export function silence(): Reply {
  return () => undefined;
}
