import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { report } from '@destillml/core/protocol/report.ts';
import { PostError, poster } from '@destillml/trainer/reporting/post.ts';
import { startPush } from '@destillml/trainer/reporting/push-thread.ts';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../../operator/server/self-signed.ts';
import { epoch, progressReport } from './reports.ts';

const silent = pino({ level: 'silent' });
const signal = new AbortController().signal;

async function files() {
  const folder = mkdtempSync(join(tmpdir(), 'destill-push-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pair = await selfSigned(['127.0.0.1'], Date.now());
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'first-token\n');
  return { pair, tokenFile };
}

type Request = { readonly authorization: string | undefined; readonly body: string };

/** Plays the operator: answers with this status, or not at all. */
async function operator({ status = 202, text = '', isSilent = false } = {}) {
  const { pair, tokenFile } = await files();
  const requests: Request[] = [];
  const sockets = new Set<Duplex>();
  const server: Server = createServer(pair, async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    requests.push({ authorization: request.headers.authorization, body });
    if (!isSilent) response.writeHead(status, { location: '/elsewhere' }).end(text);
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/namespaces/lab/runs/small/progress`;
  const env = { DESTILL_PUSH_URL: url, DESTILL_PUSH_TOKEN_FILE: tokenFile, DESTILL_PUSH_CA: pair.cert };
  return { requests, pair, destination: { url, tokenFile, ca: pair.cert }, env };
}

describe('a report that is posted', () => {
  test('carries the token as it is at that moment', async () => {
    const { requests, destination } = await operator();
    const post = poster(destination);
    await post(epoch(1), signal);
    writeFileSync(destination.tokenFile, 'second-token');
    await post(progressReport(2), signal);
    expect(requests.map(({ authorization }) => authorization)).toEqual([
      'Bearer first-token',
      'Bearer second-token',
    ]);
    expect(report.parse(JSON.parse(requests[0]?.body ?? ''))).toEqual(epoch(1));
  });

  test.each([403, 404, 500])('and answered %i fails with what the operator says', async (status) => {
    const { destination } = await operator({ status, text: '{"code":"Forbidden"}' });
    const error = await poster(destination)(progressReport(1), signal).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PostError);
    expect(error).toMatchObject({
      isFinal: false,
      message: `it answered ${status} {"code":"Forbidden"}`,
    });
  });

  test('does not follow to another address, where the token would be read', async () => {
    const { requests, destination } = await operator({ status: 307 });
    await expect(poster(destination)(progressReport(1), signal)).rejects.toThrow('it answered 307');
    expect(requests).toHaveLength(1);
  });

  test('is not sent to somebody whom the authority does not vouch for', async () => {
    const { requests, destination } = await operator();
    const other = await operator();
    const post = poster({ ...destination, ca: other.destination.ca });
    await expect(post(progressReport(1), signal)).rejects.toThrow('self-signed certificate');
    await expect(poster({ ...destination, ca: undefined })(progressReport(1), signal)).rejects.toThrow();
    expect(requests).toEqual([]);
  });

  test('is broken off with the reason of the signal', async () => {
    const { destination } = await operator({ isSilent: true });
    const stop = new AbortController();
    const posted = poster(destination)(progressReport(1), stop.signal);
    stop.abort(new Error('enough'));
    await expect(posted).rejects.toThrow('enough');
  });

  test('without a token file says which is missing', async () => {
    const { destination } = await operator();
    rmSync(destination.tokenFile);
    await expect(poster(destination)(progressReport(1), signal)).rejects.toThrow(destination.tokenFile);
    writeFileSync(destination.tokenFile, '');
  });
});

describe('reporting', () => {
  test('sends the first report at once and the last at the end', async () => {
    const { requests, env } = await operator();
    const push = startPush(env, silent);
    push?.report(progressReport(1));
    await expect.poll(() => requests.length).toBe(1);
    push?.report(progressReport(2));
    push?.report(epoch(3));
    await push?.close();
    expect(requests.map(({ body }) => JSON.parse(body))).toEqual([progressReport(1), epoch(3)]);
  });

  test('goes on while a training step blocks its thread', async () => {
    const { pair, tokenFile } = await files();
    // port, requests: the operator, in a thread of its own, as this one is going to be blocked.
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const code = `
      const { workerData: { pair, shared } } = require('node:worker_threads');
      const server = require('node:https').createServer(pair, (request, response) => {
        request.resume().on('end', () => {
          response.writeHead(202).end();
          Atomics.add(shared, 1, 1);
          Atomics.notify(shared, 1);
        });
      });
      server.listen(0, '127.0.0.1', () => {
        Atomics.store(shared, 0, server.address().port);
        Atomics.notify(shared, 0);
      });`;
    const thread = new Worker(code, { eval: true, workerData: { pair, shared } });
    onTestFinished(async () => void (await thread.terminate()));
    Atomics.wait(shared, 0, 0, 30_000);
    const env = {
      DESTILL_PUSH_URL: `https://127.0.0.1:${shared[0]}/`,
      DESTILL_PUSH_TOKEN_FILE: tokenFile,
      DESTILL_PUSH_CA: pair.cert,
    };
    const push = startPush(env, silent);
    push?.report(progressReport(1));
    expect(Atomics.wait(shared, 1, 0, 30_000)).not.toBe('timed-out');
    expect(shared[1]).toBe(1);
    await push?.close();
  });

  test('to an operator that is down, or never answers, neither waits nor throws, and ends', async () => {
    const { requests, env } = await operator({ isSilent: true });
    const nobody = { ...env, DESTILL_PUSH_URL: 'https://127.0.0.1:1/' };
    for (const each of [nobody, env]) {
      const push = startPush(each, silent);
      for (let step = 0; step < 1000; step++) push?.report(progressReport(step));
      await push?.close();
    }
    expect(requests.length).toBeLessThanOrEqual(1);
  });

  test('is not begun where nobody is to be told', () => {
    expect(startPush({}, silent)).toBeUndefined();
    expect(startPush({ DESTILL_PUSH_URL: '' }, silent)).toBeUndefined();
  });

  test.each([
    ['an address that is not https', { DESTILL_PUSH_URL: 'http://operator/', DESTILL_PUSH_TOKEN_FILE: 't' }],
    ['no address', { DESTILL_PUSH_URL: 'nonsense', DESTILL_PUSH_TOKEN_FILE: 't' }],
    ['no token', { DESTILL_PUSH_URL: 'https://operator/' }],
  ])('with %s is not begun, and it is said why', (_, env) => {
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line) => void lines.push(line) });
    expect(startPush(env, log)).toBeUndefined();
    expect(lines.join('')).toContain('Progress is not reported: DESTILL_PUSH_URL must be an https address');
  });
});
