import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FileServer {
  readonly url: string;
  /** The Range headers it was asked with, '' for none. */
  readonly ranges: string[];
  /** To be told what has arrived: cuts the connections that have sent that much. */
  readonly onProgress: (progress: { readonly done: number }) => void;
}

export interface ServerOptions {
  /** Bytes that the n-th answer sends before it is cut; all of them where there is none. */
  readonly cutAfter?: readonly (number | undefined)[];
  /** Answers every request from the first byte on. */
  readonly ignoresRange?: boolean;
  readonly status?: readonly number[];
}

/** A server on this machine with one file, ended with the test. */
export async function serveFile(content: Buffer, options: ServerOptions = {}): Promise<FileServer> {
  const ranges: string[] = [];
  // By the byte they stop at. They are cut when the client has that byte, else it might lose what was under way.
  const stalled = new Map<number, ServerResponse>();
  const server = createServer((request, response) => {
    const turn = ranges.push(request.headers.range ?? '') - 1;
    const status = options.status?.[turn];
    if (status !== undefined && status !== 200) {
      response.writeHead(status).end();
      return;
    }
    const start = options.ignoresRange
      ? 0
      : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': content.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    const cut = options.cutAfter?.[turn];
    if (cut === undefined) response.end(content.subarray(start));
    else if (cut === 0) response.destroy();
    else {
      stalled.set(start + cut, response);
      response.write(content.subarray(start, start + cut));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/files/data.tar.gz`,
    ranges,
    onProgress: ({ done }) => stalled.get(done)?.destroy(),
  };
}
