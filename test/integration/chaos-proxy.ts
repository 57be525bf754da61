import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Access } from '../cluster/client.ts';

/** What can go wrong on the way to the API server, and how often it did. */
export type Mishaps = {
  requests: number;
  /** Never arrived. */
  dropped: number;
  /** Arrived, and the answer did not. */
  unanswered: number;
  /** Answered by the proxy: 410, 429 or 500. */
  refused: number;
  /** Watches that ended in the middle of a line. */
  cut: number;
  /** Events of watches that came twice. */
  doubled: number;
  /** Events of watches that came later than those of others. */
  late: number;
};

/** Shares of requests, or of events of watches. */
const chance = { dropped: 0.03, unanswered: 0.02, refused: 0.04, cut: 0.02, doubled: 0.05 };
/** Milliseconds: the longest an answer, and an event of a watch, is kept back. */
const longest = { answer: 150, event: 2_500 };
/** How long the watches of one resource are as late as they are, in milliseconds. */
const spell = 2_000;

/**
 * A bad network between an operator and the API server: plain HTTP on loopback, with everything a network or a server
 * under load does, drawn from a seed. Every resource's watches are late by another time, so that one overtakes the other.
 */
export class ChaosProxy {
  readonly url: string;
  readonly mishaps: Mishaps = {
    requests: 0,
    dropped: 0,
    unanswered: 0,
    refused: 0,
    cut: 0,
    doubled: 0,
    late: 0,
  };
  /** Whether everything arrives, for a while. */
  isCalm = false;
  readonly #access: Access;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #random: () => number;
  readonly #lags = new Map<string, { readonly lag: number; readonly until: number }>();

  private constructor(access: Access, server: Server, seed: number) {
    this.#access = access;
    this.#server = server;
    this.#agent = new Agent({ ca: access.ca, keepAlive: true });
    this.#random = seeded(seed);
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, outgoing) => void this.#take(incoming, outgoing));
  }

  static async open(access: Access, seed: number): Promise<ChaosProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ChaosProxy(access, server, seed);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    this.mishaps.requests += 1;
    const { method = 'GET', url = '' } = incoming;
    const watch = /[?&]watch=true/.test(url) ? resourceOf(url) : undefined;
    if (this.#happens('dropped')) return void outgoing.destroy();
    await pause(this.#random() * longest.answer);
    if (this.#happens('refused'))
      return refuse(
        outgoing,
        method === 'GET' && this.#random() < 0.4 ? 410 : this.#random() < 0.5 ? 429 : 500,
      );
    const isLost = watch === undefined && this.#happens('unanswered');
    const target = new URL(url, this.#access.url);
    const options = { method, headers: { ...incoming.headers, host: target.host }, agent: this.#agent };
    const passed = httpsRequest(target, options, (answer) => {
      answer.on('error', () => outgoing.destroy());
      if (isLost) {
        answer.resume().once('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      if (watch === undefined || answer.statusCode !== 200) answer.pipe(outgoing);
      else void this.#tell(watch, answer, outgoing);
    });
    passed.once('error', () => outgoing.destroy());
    outgoing.once('close', () => passed.destroy());
    incoming.pipe(passed);
  }

  /** Each event of a watch, in its order and some time after it happened. */
  async #tell(resource: string, answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const lines = createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on('error', () => outgoing.destroy());
    try {
      for await (const line of lines) {
        const lag = this.#lagOf(resource);
        if (lag > 0) {
          this.mishaps.late += 1;
          await pause(lag);
        }
        if (outgoing.destroyed) return;
        if (this.#happens('cut')) {
          outgoing.write(line.slice(0, line.length / 2));
          await pause(5);
          break;
        }
        outgoing.write(`${line}\n`);
        if (this.#happens('doubled')) outgoing.write(`${line}\n`);
      }
    } catch {
      // The API server has gone; whoever watches learns of it by the end.
    }
    outgoing.destroy();
  }

  /** Half of the time it is none. */
  #lagOf(resource: string): number {
    if (this.isCalm) return 0;
    const now = performance.now();
    const known = this.#lags.get(resource);
    if (known !== undefined && now < known.until)
      return Math.max(0, known.lag - (now - (known.until - spell)));
    const lag = this.#random() < 0.5 ? 0 : this.#random() * longest.event;
    this.#lags.set(resource, { lag, until: now + spell });
    return lag;
  }

  #happens(what: keyof typeof chance): boolean {
    if (this.isCalm || this.#random() >= chance[what]) return false;
    this.mishaps[what] += 1;
    return true;
  }
}

function refuse(outgoing: ServerResponse, code: 410 | 429 | 500): void {
  const reason = { 410: 'Expired', 429: 'TooManyRequests', 500: 'InternalError' }[code];
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: 'bad weather',
  };
  outgoing.writeHead(code, {
    'content-type': 'application/json',
    ...(code === 429 ? { 'retry-after': '1' } : {}),
  });
  outgoing.end(JSON.stringify(status));
}

/** Such as `pods`. */
function resourceOf(url: string): string {
  return /\/([a-z]+)\?/.exec(url)?.[1] ?? '';
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** mulberry32: numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
