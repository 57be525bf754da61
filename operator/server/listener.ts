import type { Server as HttpServer, RequestListener, ServerOptions, ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { DestillError } from '@destillml/core/errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** What a client may take of a server; times in milliseconds. */
export const limits = {
  maxHeaderSize: 16 * 1024,
  /** From the connection, or the end of the request before, to the end of the headers. */
  headersTimeout: 5_000,
  /** To the end of the body. */
  requestTimeout: 10_000,
  /** How long a connection is kept that nothing is asked on. */
  keepAliveTimeout: 30_000,
  /** How often the two times above are looked at. */
  connectionsCheckingInterval: 1_000,
} as const satisfies ServerOptions;

/** One connection for each of thousands of trainers at once, and some to spare. */
const maxConnections = 8192;

/** Where to listen. */
export type Address = {
  /** Undefined: every address of the machine. */
  readonly host: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
};

type Tracked = {
  /** Every connection; with TLS also those that have not agreed on a key yet. */
  readonly sockets: Set<Socket>;
  /** Those that requests come on; with TLS each is on top of one of the others. */
  readonly channels: Set<Socket>;
  /** To requests that were begun. */
  readonly answers: Set<ServerResponse>;
};

/** A server on its port. */
export class Listener {
  readonly port: number;
  readonly #server: HttpServer | HttpsServer;
  readonly #tracked: Tracked;

  private constructor(server: HttpServer | HttpsServer, port: number, tracked: Tracked) {
    this.port = port;
    this.#server = server;
    this.#tracked = tracked;
  }

  /**
   * @param address `option` is what the user chose it by
   * @throws DestillError `Environment` if the port cannot be had
   */
  static async open(
    server: HttpServer | HttpsServer,
    handle: RequestListener,
    address: Address & { readonly option: string },
  ): Promise<Listener> {
    const tracked = track(server);
    server.on('request', handle);
    server.maxConnections = maxConnections;
    const port = await listen(server, address);
    return new Listener(server, port, tracked);
  }

  /** Takes no more connections, lets requests that were begun be answered, but after `grace` milliseconds breaks them off. */
  async close(clock: Clock, grace: number): Promise<void> {
    const { sockets, channels, answers } = this.#tracked;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const busy = new Set([...answers].map(({ req }) => req.socket));
    for (const answer of answers) if (!answer.headersSent) answer.setHeader('connection', 'close');
    for (const channel of channels) if (!busy.has(channel)) channel.destroy();
    const cancel = clock.after(grace, () => {
      for (const socket of sockets) socket.destroy();
    });
    await closed;
    cancel();
  }
}

function track(server: HttpServer | HttpsServer): Tracked {
  const tracked: Tracked = { sockets: new Set(), channels: new Set(), answers: new Set() };
  const { sockets, channels, answers } = tracked;
  server.on('connection', (socket: Socket) => follow(sockets, socket));
  server.on(server instanceof HttpsServer ? 'secureConnection' : 'connection', (channel: Socket) => {
    if (server.listening) follow(channels, channel);
    else channel.destroy();
  });
  server.on('request', (_request: unknown, answer: ServerResponse) => {
    follow(answers, answer);
    if (!server.listening) answer.setHeader('connection', 'close');
  });
  return tracked;
}

/** Is a member until it is closed. */
function follow<T extends Socket | ServerResponse>(members: Set<T>, member: T): void {
  members.add(member);
  member.once('close', () => members.delete(member));
}

function listen(
  server: HttpServer | HttpsServer,
  { host, port, option }: Address & { readonly option: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another process listens there' : cause.message;
      reject(new DestillError('Environment', `port ${port}: ${why}; choose another by ${option}`, { cause }));
    };
    server.once('error', fail);
    server.listen({ port, host }, () => {
      server.off('error', fail);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
