import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Job, Pod } from '../../operator/jobs/objects.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { chart, helm, objectsIn, only, type Rendered } from '../charts/helm.ts';
import type { Client } from '../cluster/client.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment, Lab } from '../integration/operator-fixtures.ts';
import { OperatorProcess } from '../integration/operator-process.ts';
import { kubeconfigFor, temporaryFolder, tokenOf } from '../integration/tokens.ts';

let controlPlane: ControlPlane;
let client: Client;
beforeAll(async () => {
  controlPlane = await startControlPlane();
  client = controlPlane.client;
});
afterAll(() => controlPlane?.stop());

/** A namespace for the release, which enforces what the chart keeps to. */
let system: string;
let lab: Lab;
afterEach(async () => {
  await helm(['uninstall', 'lab', '--namespace', system, '--ignore-not-found'], client.access);
  await client.kubectl('delete', '--ignore-not-found', 'crd', ...definitions);
});

const { version } = packageFile;
const definitions = ['experiments.destillml.io', 'runs.destillml.io'];
const name = 'lab-destillml';

type Release = { readonly values?: object; readonly from?: string };

/** Also makes the namespaces of the release and of its users. */
async function install(
  { values = {}, from = chart }: Release = {},
  ...flags: readonly string[]
): Promise<string> {
  system = await client.newNamespace('system', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  lab = new Lab(client, await client.newNamespace('lab'));
  return await again('install', { values, from }, ...flags);
}

/** In the namespace of `install`. @returns what helm prints */
function again(
  verb: 'install' | 'upgrade',
  { values = {}, from = chart }: Release = {},
  ...flags: readonly string[]
): Promise<string> {
  const set = ['--set-json', JSON.stringify(values)];
  return helm([verb, 'lab', from, '--namespace', system, ...set, ...flags], client.access);
}

function uninstall(): Promise<string> {
  return helm(['uninstall', 'lab', '--namespace', system], client.access);
}

describe('a release', () => {
  it('is what a restricted namespace takes, and tells what to do next', async () => {
    const notes = await install();
    expect(notes).toContain(`DestillML ${version} runs the Experiments of all namespaces.`);
    expect(notes).toContain(`kubectl --namespace ${system} rollout status deployment/${name}`);
    expect(notes).not.toContain('WARNING');
    const pod = await waitFor('the pod of the operator', async () => {
      const { items } = await client.send<List<Pod>>('GET', `/api/v1/namespaces/${system}/pods`);
      return items[0];
    });
    expect(pod.metadata.name).toMatch(new RegExp(`^${name}-`));
    const [test, ...others] = objectsIn(
      await helm(['get', 'hooks', 'lab', '--namespace', system], client.access),
    );
    expect(others).toEqual([]);
    await client.send('POST', `/api/v1/namespaces/${system}/pods?dryRun=All&fieldValidation=Strict`, test);
  });

  it('warns of what will surprise', async () => {
    const metrics = { serviceMonitor: { enabled: true } };
    const args = [
      'install',
      'lab',
      chart,
      '--dry-run=client',
      '--set-json',
      JSON.stringify({ metrics, crds: { keep: false } }),
    ];
    const notes = await helm(args, client.access);
    expect(notes).toContain('WARNING: there is a ServiceMonitor, but metrics.readers is empty');
    expect(notes).toContain('WARNING: crds.keep is false');
    await expect(install({ values: { crds: { enabled: false } } })).resolves.toContain(
      'WARNING: crds.enabled is false',
    );
  });

  it.each([
    ['in all namespaces', () => ({})],
    ['in one', () => ({ namespaces: [lab.namespace] })],
  ])(
    'lets an operator with its options and its service account run Experiments %s',
    async (_where, values) => {
      await install();
      await again('upgrade', { values: values() });
      const operator = await startOperator();
      await operator.process.says('leading');
      expect((await operator.asks('/readyz')).status).toBe(200);
      await lab.apply(experiment('study'));
      const job = await jobOf('teacher');
      const [container] = job.spec?.template.spec?.containers ?? [];
      const environment = Object.fromEntries(
        (container?.env ?? []).map(({ name: key, value }) => [key, value]),
      );
      expect(environment.DESTILL_PUSH_URL).toMatch(
        `https://${name}.${system}.svc:8443/v1/namespaces/${lab.namespace}/runs/`,
      );
      expect(environment.DESTILL_PUSH_CA).toBe(operator.ca);
      expect(container?.image).toBe(`destillml/trainer:${version}-cpu`);

      operator.process.kill('SIGTERM');
      expect((await operator.process.ended).code).toBe(0);
      expect(operator.process.lines.filter(({ level }) => level > 30)).toEqual([]);
    },
  );

  it('has a certificate for the names of its Service', async () => {
    await install();
    const operator = await startOperator();
    const host = `${name}.${system}.svc`;
    for (const servername of [host, name, `${name}.${system}`, `${host}.cluster.local`]) {
      expect(await operator.asks('/metrics', { servername })).toMatchObject({ status: 401 });
    }
    await expect(operator.asks('/metrics', { servername: 'another.svc' })).rejects.toThrow(
      "does not match certificate's altnames",
    );
  });

  it('passes its own test', async () => {
    await install();
    const operator = await startOperator();
    const test = only(
      objectsIn(await helm(['get', 'hooks', 'lab', '--namespace', system], client.access)),
      'Pod',
    );
    const [{ command, args, env }] = Object(test.spec).containers;
    const { healthPort, port } = operator;
    const values: Readonly<Record<string, string>> = Object.fromEntries(
      env.map(({ name: key, value }: Variable) => [key, value]),
    );
    const { stdout } = await promisify(execFile)(process.execPath, [...command.slice(1), ...args], {
      env: {
        HEALTH_URL: values.HEALTH_URL?.replace('8081', String(healthPort)),
        SERVER_URL: values.SERVER_URL?.replace('8443', String(port)),
        NODE_EXTRA_CA_CERTS: values.NODE_EXTRA_CA_CERTS?.replace('/ca', operator.folder),
        // The names of the cluster's Services are those of this machine.
        NODE_OPTIONS: `--require=${join(temporaryFolder({ 'names.cjs': localNames }), 'names.cjs')}`,
      },
    });
    const host = `${name}.${system}.svc`;
    expect(stdout).toBe(
      `http://${host}:${healthPort}/readyz: 200, expected 200\nhttps://${host}:${port}/metrics: 401, expected 401\n`,
    );
  });

  it('shows metrics to the readers that it is told of, and to nobody else', async () => {
    await install();
    const readers = [{ namespace: lab.namespace, serviceAccount: 'default' }];
    await again('upgrade', { values: { metrics: { readers } } });
    const operator = await startOperator();
    const reader = await tokenOf(client, { namespace: lab.namespace, name: 'default' });
    const other = await tokenOf(client, { namespace: system, name: 'default' });
    expect((await operator.asks('/metrics', { token: reader })).status).toBe(200);
    expect((await operator.asks('/metrics', { token: other })).status).toBe(403);
  });

  it('lets users of the built-in roles do what these say', async () => {
    await install();
    const reads = ['get', 'list', 'watch'];
    const removes = ['delete', 'deletecollection'];
    const experiments = [...reads, 'create', 'update', 'patch', ...removes];
    const rights = {
      view: { experiments: reads, runs: reads },
      edit: { experiments, runs: [...reads, ...removes] },
      admin: { experiments, runs: [...reads, ...removes] },
    };
    for (const [role, expected] of Object.entries(rights)) {
      const user = await userWith(role);
      // A controller puts the roles together.
      await expect.poll(() => rightsOf(user), { timeout: 30_000 }).toEqual(expected);
    }
  });
});

describe('Experiments and Runs stay,', () => {
  it('with the certificate, when a release is upgraded, and when it goes and comes again', async () => {
    await install({ from: previousChart() });
    expect(await shortNames()).toEqual(undefined);
    const operator = await startOperator();
    await lab.apply(experiment('study'));
    await jobOf('teacher');
    operator.process.kill('SIGTERM');
    await operator.process.ended;
    const [before, certificate] = [await objects(), await secret()];
    expect(before.runs).not.toEqual([]);

    await again('upgrade');
    expect(await shortNames()).toEqual(['dexp']);
    expect(await objects()).toEqual(before);
    expect(await secret()).toEqual(certificate);

    expect(await uninstall()).toContain('[CustomResourceDefinition] experiments.destillml.io');
    expect(await objects()).toEqual(before);
    await again('install');
    expect(await objects()).toEqual(before);
    expect((await secret())['ca.crt']).not.toBe(certificate['ca.crt']);
  });

  it('when their definitions were there before', async () => {
    await client.applyCrds();
    await expect(install()).rejects.toThrow('invalid ownership metadata');
    await lab.apply(experiment('study'));
    const before = await objects();
    await again('install', {}, '--take-ownership', '--force-conflicts');
    expect(await objects()).toEqual(before);
  });

  it('unless that is not wanted', async () => {
    await install({ values: { crds: { keep: false } } });
    await lab.apply(experiment('study'));
    await uninstall();
    await client.kubectl('wait', '--for=delete', '--timeout=30s', 'crd', ...definitions);
  });
});

it('a certificate that is deleted is made anew by the next upgrade, and pods start anew to know it', async () => {
  await install();
  const [before, template] = [await secret(), await podTemplate()];
  await again('upgrade');
  expect(await podTemplate()).toEqual(template);
  await client.send('DELETE', `/api/v1/namespaces/${system}/secrets/${name}-tls`);
  await again('upgrade');
  expect((await secret())['ca.crt']).not.toBe(before['ca.crt']);
  expect(await podTemplate()).not.toEqual(template);
});

type List<T> = { readonly items: readonly T[] };
type Variable = { readonly name: string; readonly value: string };

/** The operator as the Deployment has it, but on this machine. */
async function startOperator() {
  const data = await secret();
  const folder = temporaryFolder(data);
  const [container] = (await podTemplate()).spec?.containers ?? [];
  const args = (container?.args ?? []).map((arg) =>
    arg.replace('=/tls/', `=${folder}/`).replace(/(bind-address)=:\d+$/, '$1=127.0.0.1:0'),
  );
  const token = await tokenOf(client, { namespace: system, name });
  const process = new OperatorProcess([...args, `--kubeconfig=${kubeconfigFor(client.access, { token })}`]);
  const { port, healthPort } = await process.says('listening');
  await waitFor(
    'the operator to be ready',
    async () => (await health(Number(healthPort))) === 200 || undefined,
  );
  const ca = data['ca.crt'] ?? '';
  const asks = (path: string, { servername = `${name}.${system}.svc`, token: bearer = '' } = {}) =>
    path === '/readyz'
      ? health(Number(healthPort)).then((status) => ({ status }))
      : ask(path, { port: Number(port), ca, servername, token: bearer });
  return { process, folder, ca, asks, port: Number(port), healthPort: Number(healthPort) };
}

async function health(port: number): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
}

function ask(
  path: string,
  {
    token,
    ...to
  }: { readonly port: number; readonly ca: string; readonly servername: string; readonly token: string },
): Promise<{ readonly status: number }> {
  return new Promise((resolve, reject) => {
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    request({ ...to, host: '127.0.0.1', path, headers, agent: false }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0 });
    })
      .once('error', reject)
      .end();
  });
}

/** Loaded into a process, it makes every name one of this machine. */
const localNames = `
const dns = require('node:dns');
dns.lookup = (name, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
`;

/** The decoded contents of the Secret of the release. */
async function secret(): Promise<Readonly<Record<string, string>>> {
  type Secret = { readonly data: Readonly<Record<string, string>> };
  const { data } = await client.send<Secret>('GET', `/api/v1/namespaces/${system}/secrets/${name}-tls`);
  return Object.fromEntries(
    Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64').toString()]),
  );
}

async function podTemplate() {
  type Deployment = { readonly spec: { readonly template: NonNullable<Job['spec']>['template'] } };
  const path = `/apis/apps/v1/namespaces/${system}/deployments/${name}`;
  return (await client.send<Deployment>('GET', path)).spec.template;
}

async function jobOf(role: string): Promise<Job> {
  const { metadata } = await lab.run(role);
  return await waitFor(`the Job of ${metadata.name}`, async () => {
    const path = `/apis/batch/v1/namespaces/${lab.namespace}/jobs/${metadata.name}`;
    const { status, body } = await client.request<Job>('GET', path);
    return status === 200 ? body : undefined;
  });
}

/** All of the users', with their versions: whoever touches one changes it. */
async function objects() {
  // For a moment after its definition has changed, the API server does not serve a kind.
  const all = (kind: 'experiments' | 'runs') =>
    waitFor(`${kind} to be served`, async () => {
      const { status, body } = await client.request<List<Rendered>>('GET', lab.path(kind));
      return status === 200 ? body.items : undefined;
    });
  const [experiments, runs] = await Promise.all([all('experiments'), all('runs')]);
  return { experiments, runs };
}

/** Of Experiments. */
async function shortNames(): Promise<unknown> {
  type Definition = { readonly spec: { readonly names: { readonly shortNames?: readonly string[] } } };
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definitions[0]}`;
  return (await client.send<Definition>('GET', path)).spec.names.shortNames;
}

/** As the release before this one might have been: with a definition that lacks something. */
function previousChart(): string {
  const folder = temporaryFolder();
  cpSync(chart, folder, { recursive: true });
  change(join(folder, 'Chart.yaml'), `\nversion: ${version}`, '\nversion: 0.0.1');
  change(join(folder, 'files/crds/experiments.destillml.io.yaml'), '    shortNames:\n      - dexp\n', '');
  return folder;
}

function change(file: string, old: string, next: string): void {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(old);
  writeFileSync(file, text.replace(old, next));
}

/** Somebody who has a role in the lab. */
async function userWith(role: string): Promise<string> {
  const user = `${role}-user`;
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${lab.namespace}/rolebindings`;
  const apiGroup = 'rbac.authorization.k8s.io';
  await client.send('POST', path, {
    metadata: { name: role },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  });
  return user;
}

/** What somebody may do in the lab. */
async function rightsOf(user: string) {
  const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
  const allowed = async (resource: string) => {
    const answers = await Promise.all(verbs.map((verb) => may(user, verb, resource)));
    return verbs.filter((_verb, index) => answers[index]);
  };
  return { experiments: await allowed('experiments'), runs: await allowed('runs') };
}

async function may(user: string, verb: string, resource: string): Promise<boolean> {
  type Review = { readonly status: { readonly allowed: boolean } };
  const { status } = await client.send<Review>('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, resourceAttributes: { namespace: lab.namespace, group: 'destillml.io', resource, verb } },
  });
  return status.allowed;
}
