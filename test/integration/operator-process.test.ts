import { createServer } from 'node:net';
import { afterAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { Experiment } from '../../operator/controllers/kinds.ts';
import { label } from '../../operator/jobs/contract.ts';
import type { Job, Pod } from '../../operator/jobs/objects.ts';
import type { Lease } from '../../operator/runtime/lease.ts';
import { selfSigned } from '../../operator/server/self-signed.ts';
import { Client } from '../cluster/client.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { freePort } from '../cluster/ports.ts';
import { tellsOfSigterm } from '../cluster/signals.ts';
import { waitFor } from '../cluster/wait.ts';
import { ApiProxy } from './api-proxy.ts';
import { type Play, playKubelet } from './kubelet.ts';
import { experiment, Lab } from './operator-fixtures.ts';
import { OperatorProcess } from './operator-process.ts';
import { kubeconfigFor, podToken, temporaryFolder } from './tokens.ts';

const access = inject('controlPlane');
const client = new Client(access);
afterAll(() => client.close());

async function newLab(): Promise<Lab> {
  return new Lab(client, await client.newNamespace('process'));
}

/** One replica for the namespace, with the Lease in it. */
function start(lab: Lab, kubeconfig: string, ...flags: readonly string[]): OperatorProcess {
  return new OperatorProcess([...flagsFor(lab, kubeconfig), ...flags]);
}

function flagsFor({ namespace }: Lab, kubeconfig: string): readonly string[] {
  return [
    ...['--kubeconfig', kubeconfig, '--namespaces', namespace, '--lease-namespace', namespace],
    ...['--server-bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0'],
  ];
}

/** @param pace may be changed while it plays */
function play({ namespace }: Lab, pace: { runMilliseconds?: number } = {}): Play {
  const ending = new AbortController();
  const options = Object.assign(pace, { namespaces: [namespace], signal: ending.signal });
  const playing = playKubelet(client, options);
  onTestFinished(async () => {
    ending.abort();
    await playing.ended;
  });
  return playing;
}

function leasePath({ namespace }: Lab): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/destill-operator`;
}

async function holder(lab: Lab): Promise<string | undefined> {
  return (await client.send<Lease>('GET', leasePath(lab))).spec?.holderIdentity;
}

async function jobs({ namespace }: Lab): Promise<readonly Job[]> {
  return (await client.send<{ items: readonly Job[] }>('GET', `/apis/batch/v1/namespaces/${namespace}/jobs`))
    .items;
}

async function pods({ namespace }: Lab): Promise<readonly Pod[]> {
  return (await client.send<{ items: readonly Pod[] }>('GET', `/api/v1/namespaces/${namespace}/pods`)).items;
}

function uids(objects: readonly { readonly metadata: { readonly name: string; readonly uid?: string } }[]) {
  return Object.fromEntries(objects.map(({ metadata: { name, uid } }) => [name, uid]));
}

const isComplete = ({ status }: Experiment) => status?.phase === 'Complete';

describe('destill-operator', () => {
  it('says what it was told, keeps every secret to itself, and runs an Experiment to its end', async () => {
    const lab = await newLab();
    const { cert, key } = await selfSigned(['127.0.0.1'], Date.now());
    const tls = temporaryFolder({ 'tls.crt': cert, 'tls.key': key });
    const secrets = { AWS_ACCESS_KEY_ID: 'KEYID-in-a-secret', AWS_SECRET_ACCESS_KEY: 'value-in-a-secret' };
    await client.send('POST', `/api/v1/namespaces/${lab.namespace}/secrets`, {
      metadata: { name: 'bucket' },
      stringData: secrets,
    });
    play(lab);
    const kubeconfig = kubeconfigFor(access, { token: access.tokens.admin });
    const operator = start(
      lab,
      kubeconfig,
      ...['--log-level', 'debug', '--tls-cert', `${tls}/tls.crt`, '--tls-key', `${tls}/tls.key`],
    );
    const ask = await operator.asking(cert);
    await lab.apply(
      experiment('study', {
        storage: { s3: { bucket: 'experiments', endpoint: 'https://s3.example', secretName: 'bucket' } },
      }),
    );
    await lab.until('study', 'to be Complete', isComplete);

    expect((await ask('GET', '/readyz')).status).toBe(200);
    const [pod] = await pods(lab);
    const tokens = [await podToken(client, pod!), await podToken(client, pod!, 'another')];
    const run = pod!.metadata.labels?.[label.run];
    const path = `/v1/namespaces/${lab.namespace}/runs/${run}/progress`;
    const body = { kind: 'note', message: 'hello' };
    const answers = [await ask('POST', path, { token: tokens[0]!, body })];
    answers.push(await ask('POST', path, { token: tokens[1]!, body }));
    expect(answers.map(({ status }) => status)).toEqual([202, 401]);

    operator.kill('SIGTERM');
    const { code, stdout, stderr } = await operator.ended;
    expect([code, stderr]).toEqual([0, '']);
    const [first] = operator.lines;
    expect(first).toMatchObject({
      msg: 'starting',
      config: { kubeconfig, namespaces: [lab.namespace], leaseName: 'destill-operator', qps: 50 },
    });
    const secret = [
      ...Object.values(access.tokens),
      ...Object.values(secrets),
      ...tokens,
      ...key.split('\n').filter((line) => line.length > 30 && !line.startsWith('---')),
    ];
    expect(secret.length).toBeGreaterThan(6);
    for (const text of secret) expect(stdout).not.toContain(text);
    // The one pod that was refused is warned of, and nothing else.
    expect(operator.lines.filter(({ level }) => level > 30)).toMatchObject([
      { method: 'POST', path, status: 401 },
    ]);
  });

  it('gives its lease back when it is told to stop, leaves the pods alone, and the next goes on at once', async () => {
    const lab = await newLab();
    const one = start(lab, access.kubeconfig);
    await lab.apply(experiment('study'));
    const training = play(lab, { runMilliseconds: 3_600_000 });
    await lab.phase('teacher', 'Running');
    await lab.phase('baseline', 'Running');
    const before = { jobs: uids(await jobs(lab)), pods: uids(await pods(lab)) };

    one.kill('SIGTERM');
    const told = performance.now();
    expect((await one.ended).code).toBe(0);
    expect(performance.now() - told).toBeLessThan(10_000);
    expect(await holder(lab)).toBe('');
    expect(one.lines.at(-1)).toMatchObject({ msg: 'stopped' });
    expect(uids(await pods(lab))).toEqual(before.pods);
    const live = (await pods(lab)).map(({ metadata, status }) => [metadata.deletionTimestamp, status?.phase]);
    expect(live).toEqual([
      [undefined, 'Running'],
      [undefined, 'Running'],
    ]);
    expect(training.pods()).toHaveLength(2);

    const two = start(lab, access.kubeconfig);
    const { time: began } = await two.says('listening');
    const { time: led } = await two.says('leading');
    expect(led - began).toBeLessThan(10_000);
    await expect.poll(() => holder(lab)).not.toBe('');
    expect(uids(await jobs(lab))).toEqual(before.jobs);
  });

  it('killed, is followed by the one that waits once its lease has run out, and nothing is done twice', async () => {
    const lab = await newLab();
    const one = start(lab, access.kubeconfig);
    await one.says('leading');
    const two = start(lab, access.kubeconfig);
    await two.says('listening');
    await lab.apply(experiment('study'));
    const pace = { runMilliseconds: 3_600_000 };
    const training = play(lab, pace);
    await lab.phase('teacher', 'Running');
    await lab.phase('baseline', 'Running');
    const before = uids(await jobs(lab));
    expect(Object.keys(before)).toHaveLength(2);
    expect(two.lines.map(({ msg }) => msg)).not.toContain('leading');

    one.kill('SIGKILL');
    pace.runMilliseconds = 0;
    expect((await one.ended).code).toBeNull();
    const { spec } = await client.send<Lease>('GET', leasePath(lab));
    const { time } = await two.says('leading');
    expect(time - Date.parse(spec?.renewTime ?? '')).toBeGreaterThanOrEqual(15_000);

    await lab.until('study', 'to be Complete', isComplete);
    expect(uids(await jobs(lab))).toMatchObject(before);
    const runs = await lab.runs();
    expect(runs.map(({ status }) => [status?.phase, status?.attempts])).toEqual([
      ['Succeeded', 1],
      ['Succeeded', 1],
      ['Succeeded', 1],
    ]);
    expect(training.pods()).toHaveLength(3);
  });

  it('that loses its lease to another waits for it, and is told to stop with 0', async () => {
    const lab = await newLab();
    const operator = start(lab, access.kubeconfig);
    await operator.says('leading');
    await client.send(
      'PATCH',
      leasePath(lab),
      { spec: { holderIdentity: 'another', renewTime: new Date().toISOString().replace('Z', '000Z') } },
      { contentType: 'application/merge-patch+json' },
    );
    await operator.says('no longer leading');
    await operator.says('another operator leads, or the lease could not be renewed; it is stood for again');
    operator.kill('SIGTERM');
    expect((await operator.ended).code).toBe(0);
    expect(await holder(lab)).toBe('another');
  });

  it('whose machine stood still leads again in the same process', async () => {
    const lab = await newLab();
    const operator = start(lab, access.kubeconfig);
    await operator.says('leading');
    operator.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    const woken = Date.now();
    operator.kill('SIGCONT');
    await operator.says('another operator leads, or the lease could not be renewed; it is stood for again');
    const again = await waitFor(
      'the operator to lead again',
      () => operator.lines.filter(({ msg }) => msg === 'leading')[1],
    );
    console.log(`a leader that stood still for 12 s leads again after ${again.time - woken} ms`);
    // What it knew it still knows: the Experiment is seen to at once.
    await lab.apply(experiment('study'));
    await lab.run('teacher');
    operator.kill('SIGTERM');
    expect((await operator.ended).code).toBe(0);
  });

  it('told to stop while it still loads, ends with 0', async () => {
    const lab = await newLab();
    const operator = new OperatorProcess(flagsFor(lab, access.kubeconfig), { NODE_OPTIONS: tellsOfSigterm });
    await operator.warns('catches SIGTERM, modules loaded: 1\n');
    operator.kill('SIGTERM');
    expect((await operator.ended).code).toBe(0);
    expect(operator.lines.map(({ msg }) => msg)).not.toContain('leading');
  });

  it('told to stop while the API server does not answer, ends with 0 within 10 s', async () => {
    const lab = await newLab();
    const proxy = await ApiProxy.start(access);
    const kubeconfig = kubeconfigFor(access, { token: access.tokens.admin, server: proxy.url });
    const operator = start(lab, kubeconfig);
    await operator.says('leading');
    proxy.hold(() => true);
    await lab.apply(experiment('study'));
    await expect.poll(() => proxy.held, { timeout: 30_000 }).toBeGreaterThan(0);
    const beginner = start(lab, kubeconfig);
    await beginner.says('starting');
    for (const each of [operator, beginner]) each.kill('SIGTERM');
    const told = performance.now();
    expect([(await operator.ended).code, (await beginner.ended).code]).toEqual([0, 0]);
    expect(performance.now() - told).toBeLessThan(10_000);
  });

  it('is explained by --help, in 80 columns', async () => {
    const { code, stdout, stderr } = await new OperatorProcess(['--help']).ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: destill-operator \[options\]\n/);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await new OperatorProcess(['--version']).ended).toEqual({
      code: 0,
      stdout: '0.1.0\n',
      stderr: '',
    });
  });
});

/** How it ended, with what it said of why. Whatever a user does wrong, no stack trace is shown. */
async function mistake(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const operator = new OperatorProcess(args, env);
  const { code, stdout, stderr } = await operator.ended;
  expect(stdout + stderr).not.toMatch(/\bat .*:\d+:\d+|"stack"|node:internal|please report/);
  const complaints = operator.lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);
  return { code, said: [stderr, ...complaints].filter((text) => text !== '').join('\n') };
}

describe('a mistake', () => {
  it.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    [
      'an unknown option',
      ['--lease', 'x'],
      {},
      "error: unknown option '--lease'\nSee destill-operator --help.\n",
    ],
    [
      'a wrong option',
      ['--burst', '1.5'],
      {},
      'error: --burst: a whole number is expected\nSee destill-operator --help.\n',
    ],
    [
      'a wrong variable',
      [],
      { DESTILL_OPERATOR_QPS: '-1' },
      'error: DESTILL_OPERATOR_QPS: more than 0 is expected\nSee destill-operator --help.\n',
    ],
  ])('on the command line: %s', async (_, args, env, said) => {
    expect(await mistake(args, env)).toEqual({ code: 2, said });
  });

  it('in the kubeconfig says what to give', async () => {
    const folder = temporaryFolder({ nonsense: 'clusters: [\n' });
    const [missing, broken, without] = await Promise.all([
      mistake(['--kubeconfig', `${folder}/none`]),
      mistake(['--kubeconfig', `${folder}/nonsense`]),
      mistake(['--kubeconfig', access.kubeconfig, '--context', 'other']),
    ]);
    expect(missing).toEqual({
      code: 1,
      said: expect.stringMatching(/^kubeconfig \S+\/none: .*ENOENT: no such file/),
    });
    expect(broken).toEqual({
      code: 1,
      said: expect.stringMatching(/^kubeconfig \S+\/nonsense: cannot be read: /),
    });
    expect(without).toEqual({
      code: 1,
      said: `no cluster to talk to: context "other" is not in ${access.kubeconfig} (contexts: test); give --kubeconfig and --context`,
    });
  });

  it('about the cluster says what is wrong with it', async () => {
    const at = (server: string, { token = access.tokens.admin, ca = access.ca } = {}) =>
      mistake(['--kubeconfig', kubeconfigFor({ url: server, ca }, { token })]);
    const other = await selfSigned(['127.0.0.1'], Date.now());
    const [nobody, stranger, wrong] = await Promise.all([
      at(`https://127.0.0.1:${await freePort()}`),
      at(access.url, { ca: other.cert }),
      at(access.url, { token: 'wrong' }),
    ]);
    expect(nobody).toEqual({
      code: 1,
      said: expect.stringMatching(/^the cluster cannot be reached: .*connect ECONNREFUSED 127\.0\.0\.1:\d+$/),
    });
    expect(stranger).toEqual({
      code: 1,
      said: expect.stringMatching(/^the cluster cannot be reached: .*self-signed certificate/),
    });
    expect(wrong).toEqual({
      code: 1,
      said: expect.stringMatching(
        /^the cluster does not let the operator in: .*Unauthorized; check the credentials/,
      ),
    });
  });

  it('about an address or a file says which option it is', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { readonly port: number };
    const none = `${temporaryFolder()}/none`;
    const at = (server: string, health: string, ...flags: readonly string[]) =>
      mistake([
        ...['--kubeconfig', access.kubeconfig, '--leader-election', 'off'],
        ...['--server-bind-address', server, '--health-bind-address', health, ...flags],
      ]);
    const [here, free] = [`127.0.0.1:${port}`, '127.0.0.1:0'];
    const [serverTaken, healthTaken, noFile, noAuthority] = await Promise.all([
      at(here, free),
      at(free, here),
      at(free, free, '--tls-cert', none, '--tls-key', none),
      at(free, free, '--push-ca', access.kubeconfig),
    ]);
    const taken = `port ${port}: another process listens there; choose another by`;
    expect(serverTaken).toEqual({ code: 1, said: `${taken} --server-bind-address` });
    expect(healthTaken).toEqual({ code: 1, said: `${taken} --health-bind-address` });
    expect(noFile).toEqual({ code: 1, said: expect.stringContaining(`${none}: ENOENT`) });
    expect(noAuthority).toEqual({
      code: 1,
      said: `--push-ca: ${access.kubeconfig} is not a certificate in PEM`,
    });
  });

  it('about the order says to install the definitions first', async () => {
    const bare = await startControlPlane({ controllers: false });
    onTestFinished(() => bare.stop());
    expect(await mistake(['--kubeconfig', bare.access.kubeconfig])).toEqual({
      code: 1,
      said: 'the cluster does not know Experiments: install the definitions first (kubectl apply --server-side -f crds/, or the Helm chart)',
    });
  });
});
