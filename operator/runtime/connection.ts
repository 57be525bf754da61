import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

export type Outgoing = {
  readonly method: string;
  /** With its query, such as `/api/v1/pods?limit=500`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
};

/** Connections to the API server of a kubeconfig, with its certificates and credentials; kept open between requests. */
export class Connection {
  /** Host and port of the API server. */
  readonly host: string;
  readonly #config: KubeConfig;
  readonly #server: URL;
  readonly #agents = new Map<string, http.Agent>();

  /** @throws Error if the kubeconfig has no current cluster */
  constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new Error(`context "${config.getCurrentContext()}" has no cluster`);
    this.#config = config;
    this.#server = new URL(cluster.server);
    this.host = this.#server.host;
  }

  /**
   * Sends a request. @returns the answer once its head is there; its body can be read until `signal` is aborted
   *
   * @throws the system's error if there is no answer, the signal's reason if it was aborted
   */
  async send(outgoing: Outgoing, signal: AbortSignal): Promise<IncomingMessage> {
    const options = await this.#options(outgoing.headers);
    try {
      return await this.#once(outgoing, options, signal);
    } catch (error) {
      // The server may close a kept connection in the very moment that it is used again. Reading twice does no harm.
      if (error instanceof ReusedSocketError) {
        if (outgoing.method === 'GET') return await this.#once(outgoing, options, signal);
        throw error.cause;
      }
      throw error;
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  /** Asked for every request, because tokens and certificates are renewed in their files. */
  async #options(headers: Readonly<Record<string, string>>): Promise<https.RequestOptions> {
    const credentials: Record<string, string> = {};
    const options: https.RequestOptions = { headers: credentials };
    await this.#config.applyToHTTPSOptions(options);
    // A token file may end with the end of a line, which no header may.
    const given = Object.entries(credentials).map(([name, value]) => [name, value.trim()]);
    options.headers = { ...headers, ...Object.fromEntries(given) };
    // client-node's own agent opens a new connection for every request; proxies, though, are its business.
    return this.#config.getCurrentCluster()?.proxyUrl ? options : { ...options, agent: this.#agent(options) };
  }

  #agent({ ca, cert, key, passphrase, rejectUnauthorized, servername }: https.RequestOptions): http.Agent {
    const identity = JSON.stringify([
      `${ca}`,
      `${cert}`,
      `${key}`,
      passphrase,
      rejectUnauthorized,
      servername,
    ]);
    const known = this.#agents.get(identity);
    if (known !== undefined) return known;
    // TCP asks after 30 s of silence whether the server is still there: nothing else ends a watch whose server vanished.
    const keep = { keepAlive: true, keepAliveMsecs: 30_000 };
    const given = Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername });
    const tls = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    const agent =
      this.#server.protocol === 'https:' ? new https.Agent({ ...keep, ...tls }) : new http.Agent(keep);
    this.#agents.set(identity, agent);
    return agent;
  }

  #once(outgoing: Outgoing, options: https.RequestOptions, signal: AbortSignal): Promise<IncomingMessage> {
    const { request } = this.#server.protocol === 'https:' ? https : http;
    // A kubeconfig may point below the root of a server, as Rancher's do.
    const base = this.#server.href.replace(/\/$/, '');
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const { method, path, body } = outgoing;
      const sent: ClientRequest = request(new URL(base + path), { ...options, method });
      const abort = () => sent.destroy(asError(signal.reason));
      signal.addEventListener('abort', abort);
      // Also comes after an answer is read to its end: its error is then the reader's.
      sent.once('close', () => signal.removeEventListener('abort', abort));
      sent.on('error', (error) => {
        if (signal.aborted) reject(signal.reason);
        else reject(isReset(error) && sent.reusedSocket ? new ReusedSocketError(error) : error);
      });
      sent.once('response', resolve);
      sent.end(body);
    });
  }
}

class ReusedSocketError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
