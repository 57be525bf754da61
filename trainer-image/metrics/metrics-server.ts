import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { prometheusContentType } from 'prom-client';
import { linger } from './linger.ts';

export type MetricsServerOptions = {
  /** 0: any that is free. */
  readonly port: number;
  /** Everything measured, in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  /** Milliseconds that only go forward. */
  readonly clock: () => number;
};

/** `GET /metrics` for everybody, over HTTP. */
export class MetricsServer {
  readonly port: number;
  readonly #server: Server;
  readonly #clock: () => number;
  /** When the last two were answered. */
  #scrapes: readonly number[] = [];
  #onScrape: () => void = () => undefined;

  private constructor(server: Server, port: number, { metrics, clock }: MetricsServerOptions) {
    this.port = port;
    this.#server = server;
    this.#clock = clock;
    server.on('request', (request, response) => {
      if (request.url !== '/metrics' || request.method !== 'GET') {
        response.writeHead(request.url === '/metrics' ? 405 : 404).end();
        return;
      }
      response.once('finish', () => this.#scraped());
      metrics().then(
        (text) => response.writeHead(200, { 'content-type': prometheusContentType }).end(text),
        () => response.writeHead(500).end(),
      );
    });
  }

  /** @throws Error if the port cannot be had */
  static async open(options: MetricsServerOptions): Promise<MetricsServer> {
    const server = createServer();
    server.listen(options.port);
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : options.port;
    return new MetricsServer(server, port, options);
  }

  /** Waits for one more scrape, if there were any and for as long as one is to be expected; then ends. */
  async close(): Promise<void> {
    const wait = linger(this.#scrapes, this.#clock());
    if (wait > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        this.#onScrape = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #scraped(): void {
    this.#scrapes = [...this.#scrapes, this.#clock()].slice(-2);
    this.#onScrape();
  }
}
