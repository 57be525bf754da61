import { request as httpRequest } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import type { OperatorServer } from '../../../operator/server/server.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

export type Ask = {
  readonly token?: string;
  /** JSON unless it is text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
};

export type Asking = (method: string, path: string, options?: Ask) => Promise<Answer>;

/** Asks a server on loopback, over HTTPS with its certificate as the authority; for its health over HTTP. */
export function asking(server: Pick<OperatorServer, 'healthPort' | 'port' | 'certificate'>): Asking {
  return (method, path, { token, body, headers = {}, agent } = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const isHealth = path === '/healthz' || path === '/readyz';
      const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const outgoing = (isHealth ? httpRequest : httpsRequest)(
        {
          host: '127.0.0.1',
          port: isHealth ? server.healthPort : server.port,
          method,
          path,
          ...(isHealth ? {} : { ca: server.certificate }),
          agent: agent ?? false,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(content === undefined ? {} : { 'content-type': 'application/json' }),
            ...(content === undefined || 'transfer-encoding' in headers
              ? {}
              : { 'content-length': Buffer.byteLength(content) }),
            ...headers,
          },
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          incoming.once('end', () =>
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
          );
          incoming.once('error', reject);
        },
      );
      outgoing.once('error', reject);
      outgoing.end(content);
    });
}

/** Value of a metric with these labels, such as `code="202"`, in Prometheus' text format. */
export function metricIn(text: string, name: string, labels = ''): number | undefined {
  const series = labels === '' ? `${name} ` : `${name}{${labels}} `;
  const line = text.split('\n').find((each) => each.startsWith(series));
  return line === undefined ? undefined : Number(line.slice(series.length));
}
