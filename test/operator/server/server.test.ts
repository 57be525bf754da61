import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { capturedLog } from '../runtime/captured-log.ts';
import { settle } from '../runtime/fake-clock.ts';
import type { Ask } from './asking.ts';
import { podUser, progress, record, world } from './world.ts';

const path = '/v1/namespaces/lab/runs/small/progress';
const report = { kind: 'progress', progress };
const epoch = { kind: 'epoch', record, progress };

describe('/healthz and /readyz', () => {
  test('answer ok over plain HTTP', async () => {
    const { ask } = await world();
    expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
  });

  test('not ready, it names every check that fails, until they hold', async () => {
    const synced = { runs: true, pods: false, jobs: false };
    const checks = { runs: () => synced.runs, pods: () => synced.pods, jobs: () => synced.jobs };
    const { ask } = await world({ deps: { checks } });
    const waiting = await ask('GET', '/readyz');
    expect(waiting.status).toBe(503);
    expect(JSON.parse(waiting.text)).toEqual({
      code: 'NotReady',
      message: 'not ready: pods, jobs',
      failed: ['pods', 'jobs'],
    });
    expect((await ask('GET', '/healthz')).status).toBe(200);
    Object.assign(synced, { pods: true, jobs: true });
    expect((await ask('GET', '/readyz')).status).toBe(200);
  });
});

describe('/metrics', () => {
  const scraper = { username: 'system:serviceaccount:monitoring:prometheus', groups: [], extra: {} };

  test('are for those whom a role allows it', async () => {
    const metrics = async () => ['# TYPE up gauge\n', 'up 1\n'];
    const { ask, reviewServer } = await world({ deps: { metrics } });
    reviewServer.tokens.set('prometheus', { user: scraper, audience: 'api' });

    const nobody = await ask('GET', '/metrics');
    expect(nobody.status).toBe(401);
    expect(nobody.headers['www-authenticate']).toBe('Bearer');
    expect(JSON.parse(nobody.text)).toEqual({ code: 'Unauthorized', message: 'a bearer token is needed' });
    expect((await ask('GET', '/metrics', { token: 'made-up' })).status).toBe(401);

    const refused = await ask('GET', '/metrics', { token: 'prometheus' });
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.text)).toEqual({
      code: 'Forbidden',
      message:
        'system:serviceaccount:monitoring:prometheus may not get /metrics: it needs a ClusterRole with that nonResourceURL',
    });

    reviewServer.scrapers.add(scraper.username);
    const answer = await ask('GET', '/metrics', { token: 'prometheus' });
    expect(answer).toMatchObject({ status: 200, text: '# TYPE up gauge\nup 1\n' });
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test('are sent no further once whoever asked has gone, which is no error', async () => {
    let sent = 0;
    function* endless() {
      for (;;) {
        sent += 1;
        yield 'up 1\n'.repeat(10_000);
      }
    }
    const { log, lines } = capturedLog();
    const { server, reviewServer } = await world({ deps: { metrics: async () => endless(), log } });
    reviewServer.tokens.set('prometheus', { user: scraper, audience: 'api' });
    reviewServer.scrapers.add(scraper.username);
    const client = connectTls({ host: '127.0.0.1', port: server.port, ca: server.certificate });
    client.write('GET /metrics HTTP/1.1\r\nhost: operator\r\nauthorization: Bearer prometheus\r\n\r\n');
    await once(client, 'data');
    client.destroy();
    await expect
      .poll(async () => {
        const before = sent;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return sent - before;
      })
      .toBe(0);
    expect(lines).toEqual([]);
  });

  test('are not for the tokens of trainers', async () => {
    const { ask } = await world();
    expect((await ask('GET', '/metrics', { token: 'pod-token' })).status).toBe(401);
  });

  test('that cannot be gathered are an error which tells nothing of the inside', async () => {
    const metrics = () => Promise.reject(new Error('secret detail'));
    const { ask, reviewServer } = await world({ deps: { metrics } });
    reviewServer.tokens.set('prometheus', { user: scraper, audience: 'api' });
    reviewServer.scrapers.add(scraper.username);
    const answer = await ask('GET', '/metrics', { token: 'prometheus' });
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toEqual({
      code: 'Internal',
      message: 'something went wrong here; the log of the operator says what',
    });
  });
});

describe('a report', () => {
  test.each([
    ['of progress', report, { progress }],
    ['of an epoch', epoch, { progress, history: [0.25] }],
  ])('%s is taken and written', async (_, body, status) => {
    const { ask, writes, count } = await world();
    expect(await ask('POST', path, { token: 'pod-token', body })).toMatchObject({ status: 202, text: '' });
    expect(writes).toEqual([{ run: { namespace: 'lab', name: 'small', uid: 'run-uid' }, status }]);
    await expect.poll(() => count('destillml_progress_requests_total', 'code="202"')).toBe(1);
    await expect.poll(() => count('destillml_progress_writes_total', 'result="success"')).toBe(1);
  });

  test('that is a note is taken, and nothing is written', async () => {
    const { ask, writes } = await world();
    const answer = await ask('POST', path, { token: 'pod-token', body: { kind: 'note', message: 'hello' } });
    expect(answer.status).toBe(202);
    expect(writes).toEqual([]);
  });

  const token = 'pod-token';
  const tooLong = JSON.stringify({ kind: 'note', message: 'x'.repeat(16 * 1024) });
  const unknown = '/v1/namespaces/lab/runs/nowhere/progress';
  const elsewhere = '/v1/namespaces/elsewhere/runs/small/progress';
  const refused: readonly (readonly [string, string, Ask, number, string])[] = [
    ['without a token', path, { body: report }, 401, 'Unauthorized'],
    ['with a made-up token', path, { token: 'wrong', body: report }, 401, 'Unauthorized'],
    ['with a token for the API server', path, { token: 'api-token', body: report }, 401, 'Unauthorized'],
    ['with a token of no pod', path, { token: 'unbound', body: report }, 403, 'Forbidden'],
    ['with a token of another Run’s pod', path, { token: 'other', body: report }, 403, 'Forbidden'],
    ['with a token of a pod that is gone', path, { token: 'gone', body: report }, 403, 'Forbidden'],
    ['to another namespace', elsewhere, { token, body: report }, 403, 'Forbidden'],
    ['to a Run that is not there', unknown, { token, body: report }, 404, 'NotFound'],
    ['longer than 16 kB', path, { token, body: tooLong }, 413, 'TooLarge'],
    ['that is not JSON', path, { token, body: '{"kind":' }, 400, 'Malformed'],
    ['with wrong fields', path, { token, body: { ...report, more: 1 } }, 400, 'Malformed'],
    ['without a body', path, { token }, 415, 'UnsupportedMediaType'],
    [
      'of another media type',
      path,
      { token, body: 'x=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'UnsupportedMediaType',
    ],
    [
      'that is compressed',
      path,
      { token, body: report, headers: { 'content-encoding': 'gzip' } },
      415,
      'UnsupportedMediaType',
    ],
  ];
  const withProgress = (changes: object) => ({ ...report, progress: { ...progress, ...changes } });
  const ofEpoch = (changes: object) => ({ ...epoch, record: { ...record, ...changes } });
  const withEarlier = (epochNumber: number, validationAccuracy = 0.2) => ({
    ...ofEpoch({ epoch: 4 }),
    progress: { ...progress, epoch: 4 },
    earlier: [
      { epoch: 2, validationAccuracy: 0.1 },
      { epoch: epochNumber, validationAccuracy },
    ],
  });
  const numbers = ['trainAccuracy', 'validationAccuracy', 'bestValidationAccuracy'];
  const sizes = ['learningRate', 'imagesPerSecond', 'etaSeconds'];
  const impossible: readonly (readonly [field: string, body: unknown])[] = [
    ['progress.epoch', withProgress({ epoch: 11 })],
    ['progress.epoch', withProgress({ epoch: -1 })],
    ['progress.epoch', withProgress({ epoch: 1.5 })],
    ['progress.epochs', withProgress({ epochs: 0 })],
    ['progress.step', withProgress({ step: 6 })],
    ['progress.step', withProgress({ step: -1 })],
    ['progress.steps', withProgress({ steps: 0 })],
    ['progress.loss', withProgress({ loss: null })],
    ...numbers.flatMap((name) =>
      [7, 1.0001, -0.1, null, '0.5'].map(
        (value) => [`progress.${name}`, withProgress({ [name]: value })] as const,
      ),
    ),
    ...sizes.flatMap((name) =>
      [-1, null].map((value) => [`progress.${name}`, withProgress({ [name]: value })] as const),
    ),
    ['progress.updatedAt', withProgress({ updatedAt: '2026-11-25T12:00:00.001Z' })],
    ['progress.updatedAt', withProgress({ updatedAt: '9999-12-31T23:59:59Z' })],
    ['progress.updatedAt', withProgress({ updatedAt: '2026-13-45T99:00:00Z' })],
    ['progress.updatedAt', withProgress({ updatedAt: 'tomorrow' })],
    ['progress.updatedAt', withProgress({ updatedAt: '' })],
    ['record.epoch', ofEpoch({ epoch: 11 })],
    ['record.epoch', ofEpoch({ epoch: 0 })],
    ['record.loss', ofEpoch({ loss: null })],
    ...['trainAccuracy', 'validationAccuracy'].map(
      (name) => [`record.${name}`, ofEpoch({ [name]: 7 })] as const,
    ),
    ...['crossEntropy', 'validationLoss', 'learningRate', 'imagesPerSecond', 'seconds'].map(
      (name) => [`record.${name}`, ofEpoch({ [name]: -1 })] as const,
    ),
    ['earlier[1].epoch', withEarlier(4)],
    ['earlier[1].epoch', withEarlier(0)],
    ['earlier[1].validationAccuracy', withEarlier(3, 7)],
    ['progress.step', { ...epoch, progress: { ...progress, step: 6 } }],
  ];
  test.each(impossible)('with an impossible %s is refused by its name: %j', async (field, body) => {
    const { ask, writes } = await world();
    const answer = await ask('POST', path, { token, body });
    expect(answer.status).toBe(400);
    const { code, message } = JSON.parse(answer.text);
    expect(code).toBe('Malformed');
    expect(message).toMatch(new RegExp(`(^|→ at )${field.replaceAll(/[[\].]/g, '\\$&')}(:|$)`, 'm'));
    expect(writes).toEqual([]);
  });

  test('with numbers that JSON cannot hold is refused', async () => {
    const { ask, writes } = await world();
    const huge = JSON.stringify(withProgress({ loss: 0.5 })).replace('0.5', '1e999');
    const answer = await ask('POST', path, { token, body: huge });
    expect([answer.status, JSON.parse(answer.text).message]).toEqual([
      400,
      expect.stringContaining('→ at progress.loss'),
    ]);
    const nan = JSON.stringify(withProgress({ loss: 0.5 })).replace('0.5', 'NaN');
    expect((await ask('POST', path, { token, body: nan })).status).toBe(400);
    expect(writes).toEqual([]);
  });

  test.each([
    [
      'of the last epoch and step',
      withProgress({ epoch: 10, step: 5, trainAccuracy: 1, validationAccuracy: 0 }),
    ],
    ['of a clock that is a day ahead', withProgress({ updatedAt: '2026-11-25T12:00:00.000Z' })],
    ['with an offset', withProgress({ updatedAt: '2026-11-24T14:00:00+02:00' })],
    ['of a distillation term that is rounded below zero', ofEpoch({ loss: -1e-9, distillation: -1e-9 })],
    ['with earlier epochs', withEarlier(3)],
  ])('%s is taken', async (_case, body) => {
    const { ask } = await world();
    expect(await ask('POST', path, { token, body })).toMatchObject({ status: 202, text: '' });
  });

  test.each(refused)(
    '%s is refused, counted, and nothing is written',
    async (_, to, request, status, code) => {
      const { ask, writes, count, reviewServer } = await world();
      reviewServer.tokens
        .set('api-token', { user: podUser(), audience: 'api' })
        .set('unbound', { user: podUser({ extra: {} }), audience: 'destillml' })
        .set('other', { user: podUser({ pod: 'other-x1', podUid: 'other-pod-uid' }), audience: 'destillml' })
        .set('gone', { user: podUser({ podUid: 'old-uid' }), audience: 'destillml' });
      const answer = await ask('POST', to, request);
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.text)).toEqual({ code, message: expect.any(String) });
      expect(answer.text).not.toMatch(/ {4}at |node_modules|\.ts/);
      await expect.poll(() => count('destillml_progress_requests_total', `code="${status}"`)).toBe(1);
      expect(writes).toEqual([]);
    },
  );

  test('that is refused is told of in the log with the Run that it was for, and no other mistake is', async () => {
    const { log, lines } = capturedLog();
    const { ask, reviewServer } = await world({ deps: { log } });
    reviewServer.tokens.set('unbound', { user: podUser({ extra: {} }), audience: 'destillml' });
    await ask('POST', path, { token: 'wrong', body: report });
    await ask('POST', path, { token: 'unbound', body: report });
    await ask('POST', unknown, { token, body: report });
    await ask('POST', path, { token, body: tooLong });
    const of = { level: 40, method: 'POST', path };
    expect(lines).toEqual([
      {
        ...of,
        status: 401,
        code: 'Unauthorized',
        msg: 'the token is not valid, or not for the audience destillml',
      },
      { ...of, status: 403, code: 'Forbidden', msg: 'the token is bound to no pod' },
    ]);
  });

  test('that is refused again and again is told of ten times a minute', async () => {
    const { log, lines } = capturedLog();
    const { ask, clock } = await world({ deps: { log } });
    for (let times = 0; times < 12; times += 1) await ask('POST', path, { token: 'wrong', body: report });
    expect(lines).toHaveLength(10);
    await clock.advance(60_000);
    await ask('POST', path, { token: 'wrong', body: report });
    expect(lines).toHaveLength(11);
  });

  test('says which field is wrong', async () => {
    const { ask } = await world();
    const body = { kind: 'progress', progress: { ...progress, epochs: 0 } };
    const { text } = await ask('POST', path, { token: 'pod-token', body });
    expect(JSON.parse(text).message).toContain('progress.epochs');
  });

  test('is put off while the API server does not answer, without a word of why', async () => {
    const { ask, reviewServer, writes } = await world();
    reviewServer.isDown = true;
    const answer = await ask('POST', path, { token: 'pod-token', body: report });
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain('secret');
    reviewServer.isDown = false;
    expect((await ask('POST', path, { token: 'pod-token', body: report })).status).toBe(202);
    expect(writes).toHaveLength(1);
  });

  test('is answered although it cannot be written, and written with the next', async () => {
    const written: unknown[] = [];
    let isDown = true;
    const writeProgress = async (_run: unknown, status: unknown) => {
      if (isDown) throw new Error('no answer');
      return written.push(status) > 0;
    };
    const { ask, clock } = await world({ deps: { writeProgress } });
    expect((await ask('POST', path, { token: 'pod-token', body: epoch })).status).toBe(202);
    isDown = false;
    const next = { ...progress, step: 4 };
    expect(
      (await ask('POST', path, { token: 'pod-token', body: { ...report, progress: next } })).status,
    ).toBe(202);
    await clock.advance(10_000);
    expect(written).toEqual([{ progress: next, history: [0.25] }]);
  });

  test('is answered before it is written', async () => {
    const writeProgress = () => new Promise<boolean>(() => undefined);
    const { ask, clock, server } = await world({ deps: { writeProgress } });
    expect((await ask('POST', path, { token: 'pod-token', body: report })).status).toBe(202);
    void server.close();
    await clock.advance(20_000);
  });
});

describe('answers', () => {
  test('are neither guessed at nor kept, and do not name the software', async () => {
    const { ask } = await world();
    for (const target of ['/healthz', '/metrics']) {
      const { headers } = await ask('GET', target);
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
      expect(headers).not.toHaveProperty('x-powered-by');
    }
  });

  test.each([
    ['GET', path, 405, 'POST'],
    ['DELETE', '/metrics', 405, 'GET'],
    ['POST', '/healthz', 405, 'GET'],
    ['GET', '/v1/nothing', 404, undefined],
    ['POST', '/v1/namespaces/lab/runs/%ff/progress', 400, undefined],
  ])('%s %s is %i', async (method, target, status, allow) => {
    const { ask } = await world();
    const answer = await ask(method, target, method === 'GET' ? {} : { token: 'pod-token' });
    expect(answer.status).toBe(status);
    expect(answer.headers.allow).toBe(allow);
    expect(Object.keys(JSON.parse(answer.text))).toEqual(['code', 'message']);
  });
});

describe('closing', () => {
  test('writes what trainers reported last', async () => {
    const { ask, writes, server } = await world();
    await ask('POST', path, { token: 'pod-token', body: report });
    const last = { ...progress, step: 3 };
    await ask('POST', path, { token: 'pod-token', body: { ...report, progress: last } });
    expect(writes).toHaveLength(1);
    await server.close();
    expect(writes[1]).toMatchObject({ status: { progress: last } });
  });

  test('waits for the request that is being answered, and not for connections that ask nothing', async () => {
    let answer: (parts: readonly string[]) => void = () => undefined;
    let asked: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const metrics = () =>
      new Promise<readonly string[]>((resolve) => {
        answer = resolve;
        asked();
      });
    const { ask, server, reviewServer } = await world({ deps: { metrics } });
    const user = { username: 'prometheus', groups: [], extra: {} };
    reviewServer.tokens.set('prometheus', { user, audience: 'api' });
    reviewServer.scrapers.add('prometheus');
    const idle = connectTls({ host: '127.0.0.1', port: server.port, ca: server.certificate });
    await new Promise((resolve) => idle.once('secureConnect', resolve));
    const idleEnded = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => undefined);

    const scrape = ask('GET', '/metrics', { token: 'prometheus', headers: { connection: 'keep-alive' } });
    await begun;
    const closed = server.close();
    await idleEnded;
    answer(['up 1\n']);
    expect(await scrape).toMatchObject({ status: 200, text: 'up 1\n', headers: { connection: 'close' } });
    await closed;
    await expect(ask('GET', '/metrics')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('breaks off within 10 s what never ends: a request, a write, a handshake', async () => {
    let asked: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const metrics = () => {
      asked();
      return new Promise<readonly string[]>(() => undefined);
    };
    const writeProgress = (_run: unknown, _status: unknown, signal: AbortSignal) =>
      new Promise<boolean>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const { ask, server, reviewServer, clock } = await world({ deps: { metrics, writeProgress } });
    const user = { username: 'prometheus', groups: [], extra: {} };
    reviewServer.tokens.set('prometheus', { user, audience: 'api' });
    reviewServer.scrapers.add('prometheus');
    await ask('POST', path, { token: 'pod-token', body: report });
    const silentClient = connect({ host: '127.0.0.1', port: server.port });
    await new Promise((resolve) => silentClient.once('connect', resolve));
    silentClient.on('error', () => undefined);
    const scrape = expect(ask('GET', '/metrics', { token: 'prometheus' })).rejects.toThrow();
    await begun;

    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    const start = clock.monotonic();
    // Sockets take their own time to close: it is not the clock's.
    while (!isClosed && clock.monotonic() - start < 9_900) {
      await clock.advance(100);
      for (let turn = 0; turn < 20; turn++) await settle();
    }
    await closed;
    await scrape;
    expect(clock.monotonic() - start).toBeLessThan(10_000);
  });
});
