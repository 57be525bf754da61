import { pino } from 'pino';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../operator/runtime/clock.ts';
import { EventRecorder, events } from '../../operator/runtime/events.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { clientOn, configMaps, connect } from './runtime-fixtures.ts';

const access = inject('controlPlane');
const admin = new Client(access);
const connection = connect(access);
afterAll(() => {
  connection.close();
  admin.close();
});

describe('an event recorder at the API server', () => {
  it('writes Events that kubectl shows with their object, the same thing once with its count', async () => {
    const namespace = await admin.newNamespace('events');
    const client = clientOn(connection);
    const stop = new AbortController();
    const regarding = await client.create(configMaps, { metadata: { namespace, name: 'a' } }, stop.signal);
    const recorder = new EventRecorder({
      client,
      controller: 'destillml.io/operator',
      instance: 'operator-0',
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'silent' }),
    });
    const run = recorder.run(stop.signal);
    const happening = {
      regarding,
      type: 'Warning',
      reason: 'Unschedulable',
      action: 'StartJob',
      note: 'no node has a free GPU',
    } as const;
    const written = async () => (await client.list(events, { namespace }, stop.signal)).items;

    recorder.record(happening);
    await waitFor('the Event', async () => ((await written()).length > 0 ? true : undefined));
    for (let time = 0; time < 4; time++) recorder.record(happening);
    recorder.record({ ...happening, type: 'Normal', reason: 'Started', note: 'one' });
    await waitFor(
      'the series',
      async () => (await written()).some(({ series }) => series?.count === 5) || undefined,
    );
    expect(await written()).toHaveLength(2);
    expect(recorder.dropped).toBe(0);

    const described = await admin.kubectl('describe', 'configmap', 'a', '--namespace', namespace);
    expect(described).toMatch(
      /Warning +Unschedulable .*\(x5 over .*destillml.io\/operator +no node has a free GPU/,
    );
    expect(described).toMatch(/Normal +Started .*one/);
    stop.abort();
    await run;
  });
});
