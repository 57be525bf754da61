import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import type { Experiment } from '../../operator/controllers/kinds.ts';
import { selfSigned } from '../../operator/server/self-signed.ts';
import type { Client } from '../cluster/client.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait.ts';
import { Kubelet, playKubelet } from './kubelet.ts';
import { installKueue } from './kueue.ts';
import { experiment, Lab } from './operator-fixtures.ts';
import { OperatorProcess } from './operator-process.ts';
import { kubeconfigFor, podToken, temporaryFolder, tokenOf } from './tokens.ts';

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

/**
 * Everything that the operator may do, as the Helm chart grants it: in the namespaces whose Experiments it runs, of the
 * cluster, and in the namespace of the Lease. Nothing else is allowed, nothing of this goes unused.
 */
const rules: Readonly<Record<'namespaces' | 'cluster' | 'lease', readonly Rule[]>> = parse(
  readFileSync(join(import.meta.dirname, '../../charts/destillml/files/rules.yaml'), 'utf8'),
);
const clusterRole = [...rules.cluster, ...rules.namespaces];
const role = rules.lease;

/** What no request of this test has to ask for. */
const unasked = [
  // Looked up by the admission plugin, which this control plane runs.
  'update destillml.io/experiments/finalizers',
  'update destillml.io/runs/finalizers',
  'delete destillml.io/runs',
  // See above.
  'get destillml.io/runs',
  // Where a Job was made by a leader that ended before the cache of this one knew of it.
  'get batch/jobs',
];

const system = 'destillml-system';
const account = { namespace: system, name: 'destillml' };

it('an operator that may do what its roles say, and nothing else, runs Experiments without a refusal', async () => {
  const user = `system:serviceaccount:${system}:${account.name}`;
  const { cert, key } = await selfSigned(['127.0.0.1'], Date.now());
  const folder = temporaryFolder({ 'policy.json': auditPolicy(user), 'tls.crt': cert, 'tls.key': key });
  const file = (name: string) => join(folder, name);
  const controlPlane = await startControlPlane({
    crds: true,
    apiServerFlags: [
      '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
      `--audit-policy-file=${file('policy.json')}`,
      `--audit-log-path=${file('audit.log')}`,
    ],
  });
  onTestFinished(() => controlPlane.stop());
  const { client, access } = controlPlane;
  await installKueue(client, 'v1beta2');
  await createAccount(client);
  const lab = new Lab(client, await client.newNamespace('lab'));
  const asked = () => requestsIn(file('audit.log'));

  const kubeconfig = kubeconfigFor(access, { token: await tokenOf(client, account) });
  const operator = new OperatorProcess([
    ...['--kubeconfig', kubeconfig, '--lease-namespace', system],
    ...['--server-bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0'],
    ...['--tls-cert', file('tls.crt'), '--tls-key', file('tls.key'), '--qps', '500', '--burst', '500'],
  ]);
  const ask = await operator.asking(cert);

  // A pod that nobody starts, for which Events are read.
  const arms = [
    { name: 'soft', softTargets: {} },
    { name: 'similarity', similarityPreserving: {} },
  ];
  await lab.apply(experiment('study', { distillation: arms }));
  const kubelet = new Kubelet(client);
  const teacher = { namespace: lab.namespace, name: (await lab.run('teacher')).metadata.name };
  await kubelet.bind(await kubelet.podOf(teacher), 'gpu-1');
  await waitFor('the operator to read Events', () => asked().has('list /events') || undefined);

  const ending = new AbortController();
  const pace = { namespaces: [lab.namespace], signal: ending.signal, runMilliseconds: 3_600_000 };
  const playing = playKubelet(client, pace);
  onTestFinished(async () => {
    ending.abort();
    await playing.ended;
  });
  // Paused and gone on with, twice: the second time is told by the same Event.
  for (const time of ['first', 'second']) {
    const isSuspended = ({ status }: Experiment) => status?.phase === 'Suspended';
    await lab.change('experiments', 'study', { suspend: true });
    await lab.until('study', `to be Suspended for the ${time} time`, isSuspended);
    await lab.change('experiments', 'study', { suspend: false });
    await lab.until('study', `to go on for the ${time} time`, (study) => !isSuspended(study));
  }
  await lab.phase('teacher', 'Running', 'Training');
  await kubelet.succeed(await kubelet.podOf(teacher));

  // A report, a Run that is stopped, one that lost its owner.
  const { metadata: soft } = await lab.phase('soft', 'Running');
  const [trainer] = playing.podsOf({ namespace: lab.namespace, name: soft.name });
  const token = await podToken(client, { metadata: { namespace: lab.namespace, name: trainer!.name } });
  const progress = { epoch: 1, epochs: 10, step: 0, steps: 5, updatedAt: new Date().toISOString() };
  const path = `/v1/namespaces/${lab.namespace}/runs/${soft.name}/progress`;
  const answer = await ask('POST', path, { token, body: { kind: 'progress', progress } });
  expect(answer.status).toBe(202);
  const { metadata: similarity } = await lab.phase('similarity', 'Running');
  await client.send(
    'PATCH',
    lab.path('runs', teacher.name),
    { metadata: { ownerReferences: null } },
    { contentType: 'application/merge-patch+json' },
  );
  await lab.change('runs', similarity.name, { stop: { reason: 'Asked', message: 'By hand.' } });
  await lab.phase('similarity', 'Stopped');
  await waitFor('the teacher to be taken over', async () => {
    const { metadata: current } = await lab.run('teacher');
    return current.ownerReferences?.[0]?.name === 'study' || undefined;
  });
  pace.runMilliseconds = 0;
  await lab.until('study', 'to be Complete', ({ status }) => status?.phase === 'Complete');

  // Deleted by the operator, with everything that is its.
  await lab.change('experiments', 'study', { ttlSecondsAfterFinished: 1 });
  await waitFor('all Runs to go', async () => (await lab.runs()).length === 0 || undefined, 90_000);

  const scrape = await ask('GET', '/metrics', { token: access.tokens.admin });
  expect(scrape.status).toBe(200);
  expect(scrape.text).toMatch(/^rest_client_requests_total\{code="201"/m);
  expect(scrape.text).not.toMatch(/^rest_client_requests_total\{code="403"/m);
  operator.kill('SIGTERM');
  expect((await operator.ended).code).toBe(0);
  expect(operator.lines.filter(({ level }) => level > 40)).toEqual([]);

  const requests = [...asked()];
  expect(requests.filter(([, decision]) => decision !== 'allow')).toEqual([]);
  const used = requests.map(([request]) => request).filter((request) => request.includes('/'));
  const granted = [...clusterRole, ...role].flatMap(requestsOf);
  expect([...new Set([...used, ...unasked])].sort()).toEqual(granted.sort());
});

function requestsOf({ apiGroups, resources, verbs }: Rule): readonly string[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
  );
}

function auditPolicy(user: string): string {
  return JSON.stringify({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata', users: [user] }, { level: 'None' }],
  });
}

/** What was asked of the API server, such as `list batch/jobs`, with what was decided; other paths by themselves. */
function requestsIn(log: string): ReadonlyMap<string, string> {
  type AuditEvent = {
    readonly verb: string;
    readonly requestURI: string;
    readonly objectRef?: {
      readonly apiGroup?: string;
      readonly resource: string;
      readonly subresource?: string;
    };
    readonly annotations?: Readonly<Record<string, string>>;
  };
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return new Map(
    lines.map((line) => {
      const { verb, requestURI, objectRef, annotations = {} }: AuditEvent = JSON.parse(line);
      const decision = annotations['authorization.k8s.io/decision'] ?? 'none';
      if (objectRef === undefined) return [requestURI.replaceAll('/', ' '), decision];
      const { apiGroup = '', resource, subresource } = objectRef;
      const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
      return [`${verb} ${apiGroup}/${whole}`, decision];
    }),
  );
}

async function createAccount(client: Client): Promise<void> {
  const core = '/api/v1/namespaces';
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const { name } = account;
  const metadata = { name };
  const subjects = [{ kind: 'ServiceAccount', ...account }];
  const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
  await client.send('POST', core, { metadata: { name: system } });
  await client.send('POST', `${core}/${system}/serviceaccounts`, { metadata });
  await client.send('POST', `${rbac}/clusterroles`, { metadata, rules: clusterRole });
  await client.send('POST', `${rbac}/clusterrolebindings`, {
    metadata,
    roleRef: roleRef('ClusterRole'),
    subjects,
  });
  await client.send('POST', `${rbac}/namespaces/${system}/roles`, { metadata, rules: role });
  await client.send('POST', `${rbac}/namespaces/${system}/rolebindings`, {
    metadata,
    roleRef: roleRef('Role'),
    subjects,
  });
}
