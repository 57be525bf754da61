import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient, type WatchEvent } from '../../../operator/runtime/api-client.ts';
import { ApiError, ConnectionError, isConflict, isExpired } from '../../../operator/runtime/api-error.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import { Connection } from '../../../operator/runtime/connection.ts';
import type { ObservedRequest } from '../../../operator/runtime/transport.ts';
import { waitFor } from '../../cluster/wait.ts';
import { FakeClock } from './fake-clock.ts';
import { HttpApi, json, lines, type Received, silence } from './http-api.ts';
import { type Thing, thing, things } from './things.ts';

const collection = '/apis/test.destillml.io/v1/namespaces/lab/things';
const ref = { namespace: 'lab', name: 'a' };
const watchOptions = { namespace: 'lab', resourceVersion: '7', timeoutSeconds: 300 };

let api: HttpApi;
let connection: Connection;
let clock: FakeClock;
let client: ApiClient;
let observed: ObservedRequest[];
let stop: AbortController;

beforeEach(async () => {
  api = new HttpApi();
  await api.start();
  connection = new Connection(api.config());
  clock = new FakeClock();
  observed = [];
  stop = new AbortController();
  client = new ApiClient({
    connection,
    fieldManager: 'destillml-operator',
    userAgent: 'destill-operator/test',
    clock,
    observe: (request) => observed.push(request),
  });
});
afterEach(async () => {
  connection.close();
  await api.stop();
});

function last(): Received | undefined {
  return api.received.at(-1);
}

async function error(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => expect.fail('no error'),
    (reason: unknown) => reason as Error,
  );
}

async function events(watch: AsyncIterable<WatchEvent<Thing>>, into: unknown[]): Promise<void> {
  for await (const event of watch)
    into.push(event.type === 'BOOKMARK' ? event : [event.type, event.object.value]);
}

/** Until the server has got that many requests. */
function requests(count: number): Promise<true> {
  return waitFor('the request', () => (api.received.length >= count ? true : undefined));
}

describe('requests', () => {
  it('carry the token and the name of the program, and reuse a connection', async () => {
    api.replies.push(json(200, thing('a', 1)), json(200, thing('a', 2)));
    expect(await client.get(things, ref, stop.signal)).toMatchObject({ value: 1 });
    expect(await client.get(things, ref, stop.signal)).toMatchObject({ value: 2 });
    expect(last()).toMatchObject({
      method: 'GET',
      path: `${collection}/a`,
      headers: { authorization: 'Bearer secret', 'user-agent': 'destill-operator/test' },
    });
    expect(api.connections).toBe(1);
  });

  it('create, update and delete objects', async () => {
    api.replies.push(json(201, thing('a')), json(200, thing('a')), json(200, {}));
    await client.create(things, thing('a', 1), stop.signal);
    expect(last()).toMatchObject({
      method: 'POST',
      path: `${collection}?fieldManager=destillml-operator`,
      headers: { 'content-type': 'application/json' },
      body: { apiVersion: 'test.destillml.io/v1', kind: 'Thing', metadata: { name: 'a' }, value: 1 },
    });
    await client.update(things, thing('a', 2), stop.signal);
    expect(last()).toMatchObject({ method: 'PUT', body: { value: 2 } });
    await client.delete(things, ref, { uid: 'uid-a', gracePeriodSeconds: 0 }, stop.signal);
    expect(last()).toMatchObject({
      method: 'DELETE',
      path: `${collection}/a`,
      body: {
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid: 'uid-a' },
        gracePeriodSeconds: 0,
      },
    });
  });

  it('apply by force as the field manager, or as another one', async () => {
    api.replies.push(json(200, thing('a')), json(200, thing('a')));
    await client.apply(things, { metadata: ref, value: 3 }, stop.signal);
    expect(last()).toEqual(
      expect.objectContaining({
        method: 'PATCH',
        path: `${collection}/a?fieldManager=destillml-operator&force=true`,
        headers: expect.objectContaining({ 'content-type': 'application/apply-patch+yaml' }),
        body: { apiVersion: 'test.destillml.io/v1', kind: 'Thing', metadata: ref, value: 3 },
      }),
    );
    await client.as('progress').applyStatus(things, { metadata: ref }, stop.signal);
    expect(last()?.path).toBe(`${collection}/a/status?fieldManager=progress&force=true`);
  });

  it('patch with a merge patch', async () => {
    api.replies.push(json(200, thing('a')));
    await client.patch(things, ref, { value: null }, stop.signal);
    expect(last()).toMatchObject({
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { value: null },
    });
  });

  it('are not sent for a namespaced object without its namespace', () => {
    expect(() => client.get(things, { name: 'a' }, stop.signal)).toThrow('name and namespace are needed');
  });

  it('tell of every answer, and of none', async () => {
    api.replies.push(json(200, thing('a')), json(409, {}));
    await client.get(things, ref, stop.signal);
    await error(client.patch(things, ref, {}, stop.signal));
    await api.stop();
    await error(client.get(things, ref, stop.signal));
    await api.start();
    expect(observed.map(({ method, code }) => [method, code])).toEqual([
      ['GET', '200'],
      ['PATCH', '409'],
      ['GET', '<error>'],
    ]);
  });
});

describe('a refusal', () => {
  it('says what was asked and what the API server says', async () => {
    const details = { name: 'a', causes: [{ reason: 'FieldValueInvalid', field: 'spec.value' }] };
    const message = 'the object has been modified';
    api.replies.push(json(409, { kind: 'Status', reason: 'Conflict', message, details }));
    const refusal = await error(client.update(things, thing('a'), stop.signal));
    expect(refusal).toBeInstanceOf(ApiError);
    expect(refusal).toMatchObject({ status: 409, reason: 'Conflict', details });
    expect(refusal.message).toBe(`PUT ${collection}/a: ${message}`);
    expect(isConflict(refusal)).toBe(true);
  });

  it('that is not JSON is quoted', async () => {
    api.replies.push((response) => response.writeHead(502).end('bad gateway\n'));
    const refusal = await error(client.create(things, thing('a'), stop.signal));
    expect(refusal).toMatchObject({ status: 502, reason: '', message: `POST ${collection}: bad gateway` });
  });

  it.each([
    ['429 of any request', 429, 'POST', 2],
    ['503 of a read', 503, 'GET', 2],
    ['503 of a write', 503, 'POST', 1],
  ])('with %s and a time is tried again after it: %i', async (_what, status, method, tries) => {
    api.replies.push(json(status, {}, { 'retry-after': '7' }), json(200, thing('a')));
    const answer =
      method === 'GET'
        ? client.get(things, ref, stop.signal)
        : client.create(things, thing('a'), stop.signal);
    const outcome = answer.then(
      () => 'answered',
      (refusal: ApiError) => refusal.retryAfterSeconds,
    );
    await requests(1);
    if (tries === 2) {
      await waitFor('the wait', () => (clock.pending > 0 && observed.length > 0 ? true : undefined));
      await waitForTimers(1);
      await clock.advance(6_999);
      expect(api.received).toHaveLength(1);
      await clock.advance(1);
    }
    expect(await outcome).toBe(tries === 2 ? 'answered' : 7);
    expect(api.received).toHaveLength(tries);
  });
});

/** Until only so many timers run: the deadline of a request is closed with it. */
async function waitForTimers(count: number): Promise<void> {
  await waitFor('the timers', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return clock.pending === count && observed.length === api.received.length ? true : undefined;
  });
}

describe('a connection', () => {
  it('that nobody listens on is an error that says so', async () => {
    const { host } = api;
    await api.stop();
    const refused = await error(client.get(things, ref, stop.signal));
    expect(refused).toBeInstanceOf(ConnectionError);
    expect(refused.message).toBe(`GET ${collection}/a: connect ECONNREFUSED ${host}`);
    await api.start();
  });

  it('that stays silent is given up after a while', async () => {
    api.replies.push(silence());
    const late = error(client.get(things, ref, stop.signal));
    await requests(1);
    await clock.advance(30_000);
    expect((await late).message).toBe(`GET ${collection}/a: no answer within 30 s`);
    expect(clock.pending).toBe(0);
  });

  it('that breaks off within an answer is an error', async () => {
    api.replies.push((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"metadata":');
      setImmediate(() => response.destroy());
    });
    expect(await error(client.get(things, ref, stop.signal))).toBeInstanceOf(ConnectionError);
  });

  it('that the server closed meanwhile is opened again to read', async () => {
    api.replies.push(json(200, thing('a', 1)));
    await client.get(things, ref, stop.signal);
    // Answers nothing and closes, as a server does that gave the connection up in this moment.
    api.replies.push((response) => response.destroy(), json(200, thing('a', 2)));
    expect(await client.get(things, ref, stop.signal)).toMatchObject({ value: 2 });
    expect(api.connections).toBe(2);
  });

  it('is given up with the reason of the signal, whatever it waits for', async () => {
    const reason = new Error('stop');
    api.replies.push(silence());
    const waiting = error(client.get(things, ref, stop.signal));
    await requests(1);
    stop.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await error(client.get(things, ref, stop.signal))).toBe(reason);
    expect([clock.pending, api.received.length]).toEqual([0, 1]);
  });
});

describe('a list', () => {
  const page = (items: readonly unknown[], next?: string) =>
    json(200, { metadata: { resourceVersion: '9', continue: next }, items });

  it('is read page by page, its objects told what they are', async () => {
    api.replies.push(page([thing('a', 1)], 'more'), page([thing('b', 2)]));
    const { items, resourceVersion } = await client.list(
      things,
      { namespace: 'lab', labelSelector: 'arm=hints', fieldSelector: 'metadata.name!=c' },
      stop.signal,
    );
    expect(resourceVersion).toBe('9');
    expect(items).toMatchObject([
      { kind: 'Thing', apiVersion: 'test.destillml.io/v1', value: 1 },
      { kind: 'Thing', value: 2 },
    ]);
    expect(api.received.map(({ path }) => path)).toEqual([
      `${collection}?labelSelector=arm%3Dhints&fieldSelector=metadata.name%21%3Dc&limit=500`,
      `${collection}?labelSelector=arm%3Dhints&fieldSelector=metadata.name%21%3Dc&limit=500&continue=more`,
    ]);
  });

  it('whose pages went stale is read anew, at once', async () => {
    const stale = json(410, { kind: 'Status', reason: 'Expired', message: 'continue is too old' });
    api.replies.push(page([thing('a', 1)], 'more'), stale, page([thing('a', 2), thing('b', 2)]));
    const { items } = await client.list(things, {}, stop.signal);
    expect(items.map(({ value }) => value)).toEqual([2, 2]);
    expect(last()?.path).toBe('/apis/test.destillml.io/v1/things');
  });

  it('of nothing is empty', async () => {
    api.replies.push(json(200, { metadata: { resourceVersion: '9' }, items: null }));
    expect(await client.list(things, {}, stop.signal)).toEqual({ items: [], resourceVersion: '9' });
  });
});

describe('a watch', () => {
  const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '12' } } };

  it('tells what happens until the server ends it', async () => {
    api.replies.push(
      lines(
        [{ type: 'ADDED', object: thing('a', 1) }, { type: 'DELETED', object: thing('a', 2) }, bookmark],
        true,
      ),
    );
    const seen: unknown[] = [];
    await events(client.watch(things, watchOptions, stop.signal), seen);
    expect(seen).toEqual([['ADDED', 1], ['DELETED', 2], { type: 'BOOKMARK', resourceVersion: '12' }]);
    expect(last()?.path).toBe(
      `${collection}?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300`,
    );
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['as the answer', json(410, { kind: 'Status', reason: 'Expired', message: 'too old' })],
    [
      'as an event',
      lines([
        { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } },
      ]),
    ],
  ])('throws that its version is gone when the server says so %s', async (_where, reply) => {
    api.replies.push(reply);
    const gone = await error(events(client.watch(things, watchOptions, stop.signal), []));
    expect([isExpired(gone), gone.message]).toEqual([true, expect.stringMatching(/things: too old$/)]);
  });

  it('that is cut off is an error', async () => {
    api.replies.push(lines([bookmark]));
    const seen: unknown[] = [];
    const cut = error(events(client.watch(things, watchOptions, stop.signal), seen));
    await waitFor('the event', () => (seen.length > 0 ? true : undefined));
    api.cut();
    expect(await cut).toBeInstanceOf(ConnectionError);
  });

  it('that does not begin is given up like any request', async () => {
    api.replies.push(silence());
    const late = error(events(client.watch(things, watchOptions, stop.signal), []));
    await requests(1);
    await clock.advance(30_000);
    expect((await late).message).toContain('no answer within 30 s');
  });

  it('that does not end in its time is held for lost', async () => {
    api.replies.push(lines([bookmark]));
    const seen: unknown[] = [];
    const lost = error(events(client.watch(things, watchOptions, stop.signal), seen));
    await waitFor('the event', () => (seen.length > 0 ? true : undefined));
    await clock.advance(329_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await lost).toBeInstanceOf(ConnectionError);
  });

  it('leaves no connection when the signal is aborted, nor when its reader has had enough', async () => {
    api.replies.push(lines([bookmark]), lines([bookmark]));
    const seen: unknown[] = [];
    const reason = new Error('stop');
    const stopped = error(events(client.watch(things, watchOptions, stop.signal), seen));
    await waitFor('the event', () => (seen.length > 0 ? true : undefined));
    stop.abort(reason);
    expect(await stopped).toBe(reason);
    for await (const _event of client.watch(things, watchOptions, new AbortController().signal)) break;
    expect(clock.pending).toBe(0);
    // With no connection left, the server closes at once.
    await api.stop();
    await api.start();
  });
});

describe('the clock of the machine', () => {
  it('is used unless another one is given', async () => {
    const plain = new ApiClient({ connection, fieldManager: 'x', userAgent: 'x', timeout: 1 });
    api.replies.push(silence());
    expect((await error(plain.get(things, ref, stop.signal))).message).toContain('no answer within 0.001 s');
    expect(systemClock.now()).toBeGreaterThan(Date.parse('2026-01-01'));
  });
});
