import { join } from 'node:path';
import type { RunProgress } from '@destillml/core/api/run.ts';
import { startPush } from '@destillml/trainer/reporting/push-thread.ts';
import { pino } from 'pino';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Run } from '../../operator/controllers/kinds.ts';
import { label, variable } from '../../operator/jobs/contract.ts';
import type { Pod } from '../../operator/jobs/objects.ts';
import { selfSigned } from '../../operator/server/self-signed.ts';
import { Client } from '../cluster/client.ts';
import { freePort } from '../cluster/ports.ts';
import { waitFor } from '../cluster/wait.ts';
import { type Ask, asking, metricIn } from '../operator/server/asking.ts';
import { record } from '../operator/server/world.ts';
import { ApiProxy } from './api-proxy.ts';
import { Kubelet } from './kubelet.ts';
import { experiment, Lab, type RunningOperator, startOperator } from './operator-fixtures.ts';
import { kubeconfigFor, podToken, temporaryFolder, tokenOf } from './tokens.ts';

const access = inject('controlPlane');
const client = new Client(access);
const kubelet = new Kubelet(client);
afterAll(() => client.close());

/** The whole test is shorter. */
const rarely = ['--progress-interval', '3600'];
/** As often as the operator allows. */
const often = ['--progress-interval', '1'];
/** A bound for what hangs. */
const patience = { timeout: 30_000 };

async function newLab(): Promise<Lab> {
  return new Lab(client, await client.newNamespace('push'));
}

/** The operator for a new Experiment, whose teacher trains on a node. */
async function training(flags: readonly string[], kubeconfig = access.kubeconfig) {
  const lab = await newLab();
  const running = await startOperator(kubeconfig, [lab.namespace], ...flags);
  await lab.apply(experiment('study'));
  return { lab, ...running, ...(await trains(lab, 'teacher', running)) };
}

/** The Run of that role with a pod that trains, once the operators know of it; its status may still say otherwise. */
async function trains(lab: Lab, role: string, ...operators: readonly RunningOperator[]) {
  const run = await lab.run(role);
  const { name } = run.metadata;
  const pod = await kubelet.podOf({ namespace: lab.namespace, name });
  await kubelet.run(await kubelet.bind(pod, 'gpu-1'));
  const key = `${lab.namespace}/${name}`;
  await waitFor('the operators to know the pod', () => {
    const knows = ({ operator: { world } }: RunningOperator) =>
      world.jobs.cache.get(key) && world.pods.cache.byIndex('run', key).length > 0;
    return operators.every(knows) || undefined;
  });
  return { run, pod };
}

function pathOf({ metadata: { namespace, name } }: Pick<Run, 'metadata'>): string {
  return `/v1/namespaces/${namespace}/runs/${name}/progress`;
}

function progress(changes: Partial<RunProgress> = {}): RunProgress {
  return { epoch: 1, epochs: 10, step: 0, steps: 5, updatedAt: new Date().toISOString(), ...changes };
}

/** Validation accuracy is a tenth of its number. */
function epoch(number: number) {
  return {
    kind: 'epoch',
    record: { ...record, epoch: number, validationAccuracy: number / 10 },
    progress: progress({ epoch: number }),
  };
}

function step(number: number) {
  return { kind: 'progress', progress: progress({ step: number }) };
}

async function report({ server }: Pick<RunningOperator, 'server'>, run: Run, token: string, body: unknown) {
  return (await asking(server)('POST', pathOf(run), { token, body })).status;
}

/** What of a metric the operator shows, by its labels. */
async function metric({ server }: Pick<RunningOperator, 'server'>, name: string, labels: string) {
  const { status, text } = await asking(server)('GET', '/metrics', { token: access.tokens.admin });
  expect(status).toBe(200);
  return metricIn(text, name, labels);
}

function writes(operator: Pick<RunningOperator, 'server'>, result: string) {
  return metric(operator, 'destillml_progress_writes_total', `result="${result}"`);
}

async function statusOf(lab: Lab, { metadata: { name } }: Run) {
  const { status } = await client.send<Run>('GET', lab.path('runs', name));
  return status;
}

/** What the API server answers to somebody who writes that progress. */
async function written(lab: Lab, { metadata: { name } }: Run, of: RunProgress) {
  const { status, body } = await client.request<{ message: string }>(
    'PATCH',
    `${lab.path('runs', name)}/status?dryRun=All`,
    { status: { progress: of } },
    { contentType: 'application/merge-patch+json' },
  );
  return { status, message: body.message };
}

/** A write of progress to the API server. */
function isProgress(_method: string, path: string): boolean {
  return path.includes('fieldManager=destillml-progress');
}

/** Steps of the progress of a Run, each as the operator saw it come back from the API server. */
function stepsSeen({ operator }: Pick<RunningOperator, 'operator'>, { metadata: { uid } }: Run) {
  const steps: number[] = [];
  operator.world.runs.cache.subscribe(({ object }) => {
    const seen = object.metadata.uid === uid ? object.status?.progress?.step : undefined;
    if (seen !== undefined && steps.at(-1) !== seen) steps.push(seen);
  });
  return steps;
}

describe('a report', () => {
  it('of an epoch becomes progress and history of the Run, beside what the operator writes', async () => {
    const { lab, run, pod, ...operator } = await training(often);
    const sent = epoch(1);
    expect(await report(operator, run, await podToken(client, pod), sent)).toBe(202);

    const status = await waitFor('the progress', async () => {
      const current = await statusOf(lab, run);
      return current?.progress && current;
    });
    expect(status).toMatchObject({ progress: sent.progress, history: [0.1] });
    const { status: running } = await lab.phase('teacher', 'Running');
    expect(running).toMatchObject({ progress: sent.progress, history: [0.1] });

    await kubelet.succeed(pod);
    const { metadata, status: last } = await lab.phase('teacher', 'Succeeded');
    expect(last).toMatchObject({ progress: sent.progress, history: [0.1], result: { bestEpoch: 9 } });
    const owners = metadata.managedFields as readonly {
      readonly manager: string;
      readonly subresource?: string;
      readonly fieldsV1: { readonly 'f:status'?: object };
    }[];
    const owned = (manager: string) =>
      owners
        .filter((owner) => owner.manager === manager && owner.subresource === 'status')
        .flatMap(({ fieldsV1 }) => Object.keys(fieldsV1['f:status'] ?? {}))
        .sort();
    expect(owned('destillml-progress')).toEqual(['f:history', 'f:progress']);
    expect(owned('destillml-operator')).toEqual(
      expect.arrayContaining(['f:conditions', 'f:phase', 'f:result', 'f:startTime']),
    );
    expect(owned('destillml-operator')).not.toContain('f:progress');
    expect(operator.complaints).toEqual([]);
  });

  it('comes from a trainer by what its pod was told, over a certificate that the authority vouches for', async () => {
    const { cert, key } = await selfSigned(['127.0.0.1'], Date.now());
    const tls = temporaryFolder({ 'tls.crt': cert, 'tls.key': key });
    const address = `127.0.0.1:${await freePort()}`;
    const { lab, run, pod } = await training([
      ...[
        '--server-bind-address',
        address,
        '--push-url',
        `https://${address}`,
        '--push-ca',
        `${tls}/tls.crt`,
      ],
      ...['--tls-cert', `${tls}/tls.crt`, '--tls-key', `${tls}/tls.key`],
      ...often,
    ]);

    const [container] = pod.spec?.containers ?? [];
    const told = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? '']));
    const mount = container?.volumeMounts?.find(({ name }) => name === 'push')?.mountPath ?? '';
    const [source] = pod.spec?.volumes?.find(({ name }) => name === 'push')?.projected?.sources ?? [];
    const { audience = '', path } = source?.serviceAccountToken ?? {};
    expect(told[variable.pushToken]).toBe(join(mount, path ?? ''));

    // What the kubelet does.
    const mounted = temporaryFolder({ token: await podToken(client, pod, audience) });
    const env = { ...told, [variable.pushToken]: join(mounted, 'token') };
    const lines: string[] = [];
    const push = startPush(env, pino({}, { write: (line) => void lines.push(line) }));
    push?.report({ kind: 'epoch', record: { ...record, epoch: 1 }, progress: progress() });
    await waitFor('the first epoch', async () => (await statusOf(lab, run))?.progress);
    push?.report({ kind: 'epoch', record: { ...record, epoch: 2 }, progress: progress({ epoch: 2 }) });
    push?.report({ kind: 'epoch', record: { ...record, epoch: 3 }, progress: progress({ epoch: 3 }) });
    await push?.close();
    const status = await waitFor('the last epoch', async () => {
      const current = await statusOf(lab, run);
      return current?.progress?.epoch === 3 ? current : undefined;
    });
    expect(status.history).toEqual([0.25, 0.25, 0.25]);
    expect(lines).toEqual([]);
  });

  it('is written once in an interval however many come, the last of them', async () => {
    const { lab, run, pod, ...operator } = await training(['--progress-interval', '4']);
    const token = await podToken(client, pod);
    const seen = stepsSeen(operator, run);
    for (const number of [1, 2, 3, 4, 5]) expect(await report(operator, run, token, step(number))).toBe(202);
    expect((await statusOf(lab, run))?.progress?.step ?? 1).toBe(1);
    await waitFor('the last report', () => (seen.includes(5) ? true : undefined));
    expect(seen).toEqual([1, 5]);
    expect(await writes(operator, 'success')).toBe(2);
    expect(await writes(operator, 'coalesced')).toBe(3);
  });

  it('that waits for its turn is written when the operator stops', async () => {
    const { lab, run, pod, ...operator } = await training(rarely);
    const token = await podToken(client, pod);
    expect(await report(operator, run, token, epoch(1))).toBe(202);
    await waitFor('the first report', async () => (await statusOf(lab, run))?.progress);
    expect(await report(operator, run, token, epoch(2))).toBe(202);
    expect((await statusOf(lab, run))?.progress?.epoch).toBe(1);
    await operator.stop();
    expect(await statusOf(lab, run)).toMatchObject({ progress: { epoch: 2 }, history: [0.1, 0.2] });
  });

  it('is written although its Run has changed when it reaches the API server', async () => {
    const proxy = await ApiProxy.start(access);
    const kubeconfig = kubeconfigFor(access, { token: access.tokens.admin, server: proxy.url });
    const { lab, run, pod, ...operator } = await training(rarely, kubeconfig);
    proxy.hold(isProgress);
    expect(await report(operator, run, await podToken(client, pod), epoch(1))).toBe(202);
    await waitFor('the write to be on its way', () => proxy.held === 1 || undefined);
    await client.send(
      'PATCH',
      lab.path('runs', run.metadata.name),
      { metadata: { annotations: { note: 'changed' } } },
      { contentType: 'application/merge-patch+json' },
    );
    proxy.release();
    await expect.poll(() => writes(operator, 'success'), patience).toBe(1);
    expect(await statusOf(lab, run)).toMatchObject({ history: [0.1] });
    expect(operator.complaints).toEqual([]);
  });

  it('is taken by any replica, whoever leads, and the history is of all of them', async () => {
    const lab = await newLab();
    const election = ['--leader-election', 'on', '--lease-namespace', lab.namespace];
    const start = () => startOperator(access.kubeconfig, [lab.namespace], ...election, ...often);
    const leader = await start();
    const leads = (operator: RunningOperator) =>
      metric(operator, 'leader_election_master_status', 'name="destill-operator"');
    await expect.poll(() => leads(leader), patience).toBe(1);
    const other = await start();
    await lab.apply(experiment('study'));
    const { run, pod } = await trains(lab, 'teacher', leader, other);
    const token = await podToken(client, pod);
    const knows = (epoch: number, { operator: { world } }: RunningOperator) =>
      world.runs.cache.get(`${lab.namespace}/${run.metadata.name}`)?.status?.progress?.epoch === epoch;

    for (const [number, replica] of [leader, other, leader].entries()) {
      expect(await report(replica, run, token, epoch(number + 1))).toBe(202);
      await waitFor(
        `both replicas to know of epoch ${number + 1}`,
        () => [leader, other].every((each) => knows(number + 1, each)) || undefined,
      );
    }
    expect(await statusOf(lab, run)).toMatchObject({ history: [0.1, 0.2, 0.3] });
    expect(await leads(leader)).toBe(1);
    expect(await leads(other)).toBe(0);
    expect([await writes(leader, 'success'), await writes(other, 'success')]).toEqual([2, 1]);
  });
});

describe('a report that is refused', () => {
  it('is counted by the status of the answer, and changes nothing', async () => {
    const [lab, elsewhere] = [await newLab(), await newLab()];
    const namespaces = [lab.namespace, elsewhere.namespace];
    const operator = await startOperator(access.kubeconfig, namespaces, ...rarely);
    await Promise.all([lab, elsewhere].map((each) => each.apply(experiment('study'))));
    const [teacher, baseline, foreign] = [
      await trains(lab, 'teacher', operator),
      await trains(lab, 'baseline', operator),
      await trains(elsewhere, 'teacher', operator),
    ];
    expect(foreign.run.metadata.name).toBe(teacher.run.metadata.name);

    const account = { namespace: lab.namespace, name: 'default' };
    const handMade = await client.send<Pod>('POST', `/api/v1/namespaces/${lab.namespace}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'hand-made',
        labels: { [label.run]: teacher.run.metadata.name, [label.runUid]: teacher.run.metadata.uid },
      },
      spec: { containers: [{ name: 'main', image: 'example.org/none' }] },
    });
    await waitFor('the operator to see the hand-made pod', () =>
      operator.operator.world.pods.cache.get(`${lab.namespace}/hand-made`),
    );
    const gone = {
      shown: await podToken(client, baseline.pod),
      // Another second, another token.
      fresh: await tokenOf(client, account, { audience: 'destillml', pod: baseline.pod.metadata.name }),
    };
    const tokens = {
      own: await podToken(client, teacher.pod),
      server: await tokenOf(client, account),
      another: await podToken(client, teacher.pod, 'another'),
      unbound: await tokenOf(client, account, { audience: 'destillml' }),
      foreign: await podToken(client, foreign.pod),
      handMade: await podToken(client, handMade),
    };
    const path = pathOf(teacher.run);
    const ask = asking(operator.server);
    const statuses: number[] = [];
    const refused = async (name: string, status: number, request: Ask, method = 'POST', to = path) => {
      const answer = await ask(method, to, request);
      expect.soft({ name, status: answer.status }).toEqual({ name, status });
      expect(Object.keys(JSON.parse(answer.text))).toEqual(['code', 'message']);
      statuses.push(status);
    };

    const body = epoch(1);
    await refused('no token', 401, { body });
    await refused('made up', 401, { token: 'made.up.token', body });
    await refused('broken', 401, { token: `${tokens.own}x`, body });
    await refused('of the administrator', 401, { token: access.tokens.admin, body });
    await refused('for the API server', 401, { token: tokens.server, body });
    await refused('for another audience', 401, { token: tokens.another, body });
    await refused('bound to no pod', 403, { token: tokens.unbound, body });
    await refused('of another Run', 403, { token: gone.shown, body });
    await refused('of another namespace', 403, { token: tokens.foreign, body });
    await refused('to another namespace', 403, { token: tokens.own, body }, 'POST', pathOf(foreign.run));
    await refused('of a pod with the labels only', 403, { token: tokens.handMade, body });

    await client.send('DELETE', `/api/v1/namespaces/${lab.namespace}/pods/${baseline.pod.metadata.name}`);
    await kubelet.remove(baseline.pod);
    await kubelet.gone(baseline.pod);
    const baselinePath = pathOf(baseline.run);
    await refused('of a pod that is gone', 401, { token: gone.fresh, body }, 'POST', baselinePath);
    await waitFor('the operator to see the pod go', () => {
      const key = `${lab.namespace}/${baseline.pod.metadata.name}`;
      return operator.operator.world.pods.cache.get(key) === undefined || undefined;
    });
    await refused('known, of a pod that is gone', 403, { token: gone.shown, body }, 'POST', baselinePath);

    const { own: token } = tokens;
    const nowhere = pathOf({ metadata: { namespace: lab.namespace, name: 'nowhere' } });
    await refused('of a Run that is not there', 404, { token, body }, 'POST', nowhere);
    const long = JSON.stringify({ kind: 'note', message: 'x'.repeat(16 * 1024) });
    await refused('too long', 413, { token, body: long });
    const chunked = { 'transfer-encoding': 'chunked' };
    await refused('too long, without saying so', 413, { token, body: long, headers: chunked });
    await refused('cut off', 400, { token, body: '{"kind":' });
    await refused('an unknown field', 400, { token, body: { ...body, more: 1 } });
    await refused('an unknown kind', 400, { token, body: { kind: 'result' } });
    const numbers = ['NaN', 'Infinity', '1e999', '-1', '0.5', '9007199254740993', '"1"', 'null'];
    for (const number of numbers) {
      const text = JSON.stringify(body).replace('"epoch":1', `"epoch":${number}`);
      await refused(`epoch ${number}`, 400, { token, body: text });
    }
    const share = { ...body, record: { ...body.record, validationAccuracy: 1.01 } };
    await refused('an accuracy above 1', 400, { token, body: share });
    const text = { 'content-type': 'text/plain' };
    await refused('of another type', 415, { token, body: JSON.stringify(body), headers: text });
    const gzip = { 'content-encoding': 'gzip' };
    await refused('compressed', 415, { token, body, headers: gzip });
    await refused('empty', 415, { token });
    await refused('by GET', 405, { token }, 'GET');
    await refused('by PUT', 405, { token, body }, 'PUT');

    const wanted = Object.groupBy(statuses, String);
    for (const [code, { length } = []] of Object.entries(wanted)) {
      await expect
        .poll(() => metric(operator, 'destillml_progress_requests_total', `code="${code}"`), patience)
        .toBe(length);
    }
    for (const result of ['success', 'error', 'coalesced', 'dropped']) {
      expect(await writes(operator, result)).toBe(0);
    }
    const all = [...(await lab.runs()), ...(await elsewhere.runs())];
    expect(all.map(({ status }) => status?.progress ?? status?.history)).toEqual(all.map(() => undefined));

    expect(await report(operator, teacher.run, token, body)).toBe(202);
    await waitFor('the report that is right', async () => (await statusOf(lab, teacher.run))?.progress);
  });

  it('is one for a Run that was deleted and made again, with what waited to be written', async () => {
    const { lab, run, pod, ...operator } = await training(rarely);
    const token = await podToken(client, pod);
    expect(await report(operator, run, token, epoch(1))).toBe(202);
    await waitFor('the first report', async () => (await statusOf(lab, run))?.progress);
    expect(await report(operator, run, token, epoch(2))).toBe(202);

    const renewed = await madeAgain(lab, run, operator);
    // Its node has not let go of the pod yet, so the token is still good.
    expect(await report(operator, run, token, epoch(3))).toBe(403);
    await operator.stop();
    const { progress: written, history } = (await statusOf(lab, renewed)) ?? {};
    expect([written, history]).toEqual([undefined, undefined]);
  });

  it('is one that reaches the API server only after its Run was deleted and made again', async () => {
    const proxy = await ApiProxy.start(access);
    const kubeconfig = kubeconfigFor(access, { token: access.tokens.admin, server: proxy.url });
    const { lab, run, pod, ...operator } = await training(often, kubeconfig);
    proxy.hold(isProgress);
    expect(await report(operator, run, await podToken(client, pod), epoch(1))).toBe(202);
    await waitFor('the write to be on its way', () => proxy.held === 1 || undefined);

    const renewed = await madeAgain(lab, run, operator);
    proxy.release();
    await expect.poll(() => writes(operator, 'dropped'), patience).toBe(1);
    expect(await writes(operator, 'success')).toBe(0);
    expect((await statusOf(lab, renewed))?.progress).toBeUndefined();
    expect(operator.complaints).toEqual([]);
  });
});

/** Deletes a Run. @returns the one that the operator makes in its place, once it knows of it */
async function madeAgain(lab: Lab, { metadata: { name, uid } }: Run, { operator }: RunningOperator) {
  await client.send('DELETE', lab.path('runs', name), { propagationPolicy: 'Background' });
  return await waitFor('the Run to be made again', () => {
    const cached = operator.world.runs.cache.get(`${lab.namespace}/${name}`);
    return cached !== undefined && cached.metadata.uid !== uid ? cached : undefined;
  });
}

describe('what a trainer makes up', () => {
  it('is shown in its own Run and changes nothing else', async () => {
    const { lab, run, pod, ...operator } = await training(often);
    const token = await podToken(client, pod);
    const odd = { loss: 1e308, etaSeconds: 1e308 };
    expect(await report(operator, run, token, { kind: 'progress', progress: progress(odd) })).toBe(202);
    await expect.poll(async () => (await statusOf(lab, run))?.progress, patience).toMatchObject(odd);
    const impossible: readonly Partial<RunProgress>[] = [
      { epoch: 9_000_000_000_000_000 },
      { step: 6 },
      { validationAccuracy: 7 },
      { imagesPerSecond: -1 },
      { updatedAt: '9999-12-31T23:59:59Z' },
      { updatedAt: 'never' },
    ];
    for (const changes of impossible) {
      const body = { kind: 'progress', progress: progress(changes) };
      expect(await report(operator, run, token, body)).toBe(400);
      if (changes.updatedAt?.startsWith('9')) continue;
      // Nor does the API server take it of anybody else.
      const { status, message } = await written(lab, run, body.progress);
      expect(status).toBe(422);
      expect(message).toContain(`status.progress.${Object.keys(changes)[0]}`);
    }
    expect((await statusOf(lab, run))?.progress).toMatchObject(odd);
    const honest = { ...epoch(2), progress: progress({ epoch: 2 }) };
    const beyond = { ...epoch(1), record: { ...record, epoch: 9_000_000_000_000_000 } };
    expect(await report(operator, run, token, beyond)).toBe(400);
    expect(await report(operator, run, token, honest)).toBe(202);
    await waitFor(
      'the honest report',
      async () => (await statusOf(lab, run))?.progress?.epoch === 2 || undefined,
    );
    const { status } = await lab.phase('teacher', 'Running');
    expect(status?.history).toEqual([0.2, 0.2]);

    await kubelet.succeed(pod);
    await lab.phase('teacher', 'Succeeded');
    await lab.until('study', 'to be Running', (study) => study.status?.phase === 'Running');
    expect(operator.complaints).toEqual([]);
  });
});
