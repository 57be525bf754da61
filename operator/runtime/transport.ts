import type { IncomingMessage } from 'node:http';
import { type ApiError, apiError, ConnectionError } from './api-error.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import type { Connection } from './connection.ts';
import { deadline } from './deadline.ts';
import { jsonLines } from './json-lines.ts';
import type { RateLimiter } from './rate-limiter.ts';

export type TransportOptions = {
  readonly connection: Connection;
  /** Such as `destill-operator/0.1.0`. */
  readonly userAgent: string;
  /** Without one, requests never wait for their turn. */
  readonly limiter?: RateLimiter;
  /** How long an answer may take, in milliseconds. 30 s unless told. */
  readonly timeout?: number;
  /** Told of every request that was answered or failed. */
  readonly observe?: (request: ObservedRequest) => void;
  readonly clock?: Clock;
};

export type ObservedRequest = {
  readonly method: Method;
  readonly host: string;
  /** Status of the answer, or `<error>` if there was none, as client-go has it. */
  readonly code: string;
  /** Until the head of the answer. */
  readonly seconds: number;
  /** When the answer was sent, as it says itself. */
  readonly date?: string | undefined;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Parameters after the path; those that are undefined or empty are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export type RequestOptions = {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` unless told. */
  readonly contentType?: string;
};

/** How often a request that the server puts off is sent again; client-go does it as often. */
const maxRetries = 10;

/**
 * JSON over HTTP: limits, time-outs, retries that the server asks for, errors.
 *
 * Its methods throw ApiError if the server refuses, ConnectionError if it does not answer, and the reason of `signal`
 * if that is aborted.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #clock: Clock;
  readonly #timeout: number;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timeout = options.timeout ?? 30_000;
  }

  /** One answer. Its type is the caller's word. */
  async request<T>(method: Method, path: string, options: RequestOptions, signal: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      await this.#options.limiter?.take(signal);
      const answer = await this.#answer<T>(method, path, options, signal);
      if (!('refused' in answer)) return answer.body;
      const wait = retryAfter(method, answer.refused);
      if (wait === undefined || attempt === maxRetries) throw answer.refused;
      await sleep(this.#clock, wait, signal);
    }
  }

  /**
   * The values of an answer that goes on, each as it comes, until the server ends it.
   *
   * @param within how long it may go on at most, in milliseconds
   */
  async *stream(
    path: string,
    query: Query,
    within: number,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void, undefined> {
    const request = `GET ${path}`;
    await this.#options.limiter?.take(signal);
    const limit = deadline(this.#clock, this.#timeout, () => this.#late(request), signal);
    try {
      const answer = await this.#open('GET', path, { query }, limit.signal);
      try {
        if (!isSuccess(answer)) throw await refusal(request, answer);
        limit.extend(within, () => new ConnectionError(request, `still goes on after ${within / 1000} s`));
        yield* jsonLines(answer);
      } finally {
        // Also where the caller has had enough: nothing is left of the connection.
        answer.destroy();
      }
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : asConnectionError(request, error);
    } finally {
      limit.close();
    }
  }

  async #answer<T>(
    method: Method,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<{ readonly body: T } | { readonly refused: ApiError }> {
    const request = `${method} ${path}`;
    const limit = deadline(this.#clock, this.#timeout, () => this.#late(request), signal);
    try {
      const answer = await this.#open(method, path, options, limit.signal);
      if (!isSuccess(answer)) return { refused: await refusal(request, answer) };
      return { body: JSON.parse(await textOf(answer)) };
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : asConnectionError(request, error);
    } finally {
      limit.close();
    }
  }

  /** An answer whose head has come. */
  async #open(
    method: Method,
    path: string,
    { query = {}, body, contentType = 'application/json' }: RequestOptions,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { connection, userAgent, observe } = this.#options;
    const head = { accept: 'application/json', 'user-agent': userAgent };
    const content = body === undefined ? undefined : contentOf(body, contentType);
    const started = this.#clock.monotonic();
    let code = '<error>';
    let date: string | undefined;
    try {
      const outgoing = {
        method,
        path: path + queryText(query),
        headers: { ...head, ...content?.headers },
        body: content?.text,
      };
      const answer = await connection.send(outgoing, signal);
      code = String(answer.statusCode);
      date = answer.headers.date;
      return answer;
    } finally {
      const seconds = (this.#clock.monotonic() - started) / 1000;
      observe?.({ method, host: connection.host, code, seconds, date });
    }
  }

  #late(request: string): ConnectionError {
    return new ConnectionError(request, `no answer within ${this.#timeout / 1000} s`);
  }
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function refusal(request: string, answer: IncomingMessage): Promise<ApiError> {
  const text = await textOf(answer);
  return apiError(request, answer.statusCode ?? 0, text, answer.headers['retry-after']);
}

/** Milliseconds, if the same request may be sent again: surely nothing was done, or doing it twice does no harm. */
function retryAfter(method: Method, { status, retryAfterSeconds }: ApiError): number | undefined {
  if (retryAfterSeconds === undefined) return undefined;
  return status === 429 || (status >= 500 && method === 'GET') ? retryAfterSeconds * 1000 : undefined;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
}

function contentOf(body: unknown, contentType: string): { text: string; headers: Record<string, string> } {
  const text = JSON.stringify(body);
  // Node does not send the length of its own accord with DELETE.
  const headers = { 'content-type': contentType, 'content-length': `${Buffer.byteLength(text)}` };
  return { text, headers };
}

/** An error of the system, such as ECONNREFUSED, with the request that it ended; others are passed on. */
function asConnectionError(request: string, error: unknown): unknown {
  if (error instanceof SyntaxError) {
    return new ConnectionError(request, 'the answer is not JSON, or was cut off', { cause: error });
  }
  if (error instanceof Error && 'code' in error) {
    return new ConnectionError(request, error.message || String(error.code), { cause: error });
  }
  return error;
}
