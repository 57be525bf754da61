import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../../operator/runtime/api-client.ts';
import { ApiError, ConnectionError } from '../../../operator/runtime/api-error.ts';
import { EventRecorder, type Happening, type KubeEvent } from '../../../operator/runtime/events.ts';
import { capturedLog } from './captured-log.ts';
import { FakeClock, settle } from './fake-clock.ts';

const regarding = {
  apiVersion: 'destillml.io/v1alpha1',
  kind: 'Run',
  metadata: { name: 'teacher', namespace: 'lab', uid: 'uid-1', resourceVersion: '17' },
};
const happening: Happening = {
  regarding,
  type: 'Warning',
  reason: 'Unschedulable',
  action: 'StartJob',
  note: 'no node has a free GPU',
};

const refused = new ApiError('POST', 403, { reason: 'Forbidden', message: 'forbidden' });
const gone = new ApiError('PATCH', 404, { reason: 'NotFound' });
const down = new ConnectionError('POST', 'connect ECONNREFUSED');

let clock: FakeClock;
let recorder: EventRecorder;
let created: KubeEvent[];
let patches: unknown[];
let failures: Error[];
let lines: Readonly<Record<string, unknown>>[];
let stop: AbortController;
let run: Promise<void>;

beforeEach(() => {
  clock = new FakeClock();
  created = [];
  patches = [];
  failures = [];
  stop = new AbortController();
  const captured = capturedLog();
  lines = captured.lines;
  const fail = () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  const client: Pick<ApiClient, 'create' | 'patch'> = {
    create: async (_resource, object) => {
      fail();
      created.push(object as unknown as KubeEvent);
      return object as never;
    },
    patch: async (_resource, _ref, patch) => {
      fail();
      patches.push(patch);
      return patch as never;
    },
  };
  recorder = new EventRecorder({
    client,
    controller: 'destillml.io/operator',
    instance: 'operator-0',
    clock,
    random: () => 0,
    log: captured.log,
  });
  run = recorder.run(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await run;
  expect(clock.pending).toBe(0);
});

describe('an event recorder', () => {
  it('writes what happened as an Event in the namespace of its object', async () => {
    recorder.record(happening);
    await settle();
    expect(created).toEqual([
      {
        metadata: { name: `teacher.${Date.parse('2026-11-24T12:00:00Z').toString(16)}0`, namespace: 'lab' },
        eventTime: '2026-11-24T12:00:00.000000Z',
        reportingController: 'destillml.io/operator',
        reportingInstance: 'operator-0',
        action: 'StartJob',
        reason: 'Unschedulable',
        regarding: {
          apiVersion: 'destillml.io/v1alpha1',
          kind: 'Run',
          namespace: 'lab',
          name: 'teacher',
          uid: 'uid-1',
          resourceVersion: '17',
        },
        note: 'no node has a free GPU',
        type: 'Warning',
      },
    ]);
  });

  it('counts the same thing again in a series, at once the second time, then every half minute', async () => {
    recorder.record(happening);
    await settle();
    await clock.advance(1_000);
    for (let time = 0; time < 10; time++) recorder.record(happening);
    await settle();
    expect(patches).toEqual([{ series: { count: 11, lastObservedTime: '2026-11-24T12:00:01.000000Z' } }]);
    await clock.advance(1_000);
    recorder.record({
      ...happening,
      regarding: { ...regarding, metadata: { ...regarding.metadata, resourceVersion: '18' } },
    });
    await clock.advance(28_999);
    expect(patches).toHaveLength(1);
    await clock.advance(1);
    expect(patches[1]).toEqual({ series: { count: 12, lastObservedTime: '2026-11-24T12:00:02.000000Z' } });
    expect(created).toHaveLength(1);
  });

  it('counts what comes before the first one is written', async () => {
    recorder.record(happening);
    recorder.record(happening);
    await settle();
    expect(created).toMatchObject([{ series: { count: 2 } }]);
  });

  it.each<[string, Partial<Happening>]>([
    ['note', { note: 'another' }],
    ['reason', { reason: 'Another' }],
    ['type', { type: 'Normal' }],
    ['object', { regarding: { ...regarding, metadata: { ...regarding.metadata, uid: 'uid-2' } } }],
  ])('writes an Event of its own for another %s', async (_part, other) => {
    recorder.record(happening);
    recorder.record({ ...happening, ...other });
    await settle();
    expect(created).toHaveLength(2);
  });

  it('begins anew after six minutes without it', async () => {
    recorder.record(happening);
    await clock.advance(6 * 60_000);
    recorder.record(happening);
    await settle();
    expect(created).toHaveLength(2);
    expect(created[1]?.series).toBeUndefined();
  });

  it('writes an Event again that the API server has thrown away', async () => {
    recorder.record(happening);
    await settle();
    failures.push(gone);
    recorder.record(happening);
    await settle();
    expect(created).toHaveLength(2);
    expect(created[1]).toMatchObject({ series: { count: 2 } });
  });

  it('tries again when the API server cannot be reached, and gives up after a few times', async () => {
    failures.push(down, down);
    recorder.record(happening);
    await clock.advance(3_000);
    expect(created).toHaveLength(1);
    failures.push(down, down, down, down);
    recorder.record({ ...happening, note: 'another' });
    await clock.advance(60_000);
    expect([created.length, recorder.dropped]).toEqual([1, 1]);
    expect(lines).toMatchObject([{ level: 40, msg: 'event dropped', reason: 'Unschedulable' }]);
  });

  it('drops at once what the API server will not have', async () => {
    failures.push(refused);
    recorder.record(happening);
    await settle();
    expect([created.length, recorder.dropped, clock.pending]).toEqual([0, 1, 0]);
  });

  it('does not take more than it can hold, until older ones are forgotten', async () => {
    for (let count = 0; count < 1_010; count++) recorder.record({ ...happening, note: `${count}` });
    expect(recorder.dropped).toBe(10);
    await clock.advance(6 * 60_000);
    expect(created).toHaveLength(1_000);
    recorder.record({ ...happening, note: 'later' });
    await settle();
    expect([created.length, recorder.dropped]).toEqual([1_001, 10]);
  });

  it('cuts notes and names to what the API server takes', async () => {
    const metadata = { ...regarding.metadata, name: 'n'.repeat(253) };
    recorder.record({ ...happening, regarding: { ...regarding, metadata }, note: 'ü'.repeat(2000) });
    await settle();
    const [event] = created;
    expect(Buffer.byteLength(event?.note ?? '')).toBeLessThanOrEqual(1024);
    expect(event?.note).toMatch(/^ü+…$/);
    expect(event?.metadata.name.length).toBeLessThanOrEqual(253);
  });

  it('puts Events of objects without a namespace into the default one', async () => {
    recorder.record({ ...happening, regarding: { kind: 'Node', metadata: { name: 'gpu-1' } } });
    await settle();
    expect(created[0]?.metadata.namespace).toBe('default');
  });
});
