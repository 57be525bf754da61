import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../operator/config.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { othersDefinitions } from '../charts/definitions.ts';
import { chart, helm, objectsIn, only, type Rendered, template } from '../charts/helm.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';

/** What may be set, each with the default, which sets nothing: every one is tried with every other. */
const choices: readonly (readonly object[])[] = [
  [{}, { replicas: 2 }],
  [{}, { namespaces: ['lab', 'second-lab'] }],
  [
    {},
    { tls: { existingSecret: 'mine' } },
    { tls: { certManager: { enabled: true, issuerRef: { name: 'lab', kind: 'ClusterIssuer' } } } },
  ],
  [{}, { crds: { enabled: false } }],
  [{}, { networkPolicy: { enabled: true, apiServer: { cidrs: ['10.0.0.1/32', 'fd00::/8'], ports: [443] } } }],
  [
    {},
    {
      metrics: {
        serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
        podMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '5s' },
        prometheusRule: {
          enabled: true,
          labels: { release: 'prometheus' },
          runbooks: 'https://wiki.lab/runbooks',
        },
        dashboards: {
          enabled: true,
          label: 'dashboards',
          labelValue: 'lab',
          folder: 'Lab',
          folderAnnotation: 'folder',
          namespace: 'lab',
        },
        dataSource: { enabled: true, default: true, url: 'https://prometheus.lab:9090' },
      },
    },
    {
      metrics: {
        dashboards: { enabled: true },
        dataSource: { enabled: true },
        grafanaOperator: {
          enabled: true,
          instanceLabels: { dashboards: 'grafana' },
          allowCrossNamespaceImport: true,
        },
      },
    },
  ],
  [{}, { metrics: { readers: [{ namespace: 'monitoring', serviceAccount: 'prometheus-k8s' }] } }],
  [
    {},
    {
      fullnameOverride: 'distiller',
      image: {
        repository: 'registry.lab:5000/operator',
        tag: `1.0@sha256:${'0'.repeat(64)}`,
        pullPolicy: 'Always',
      },
      imagePullSecrets: [{ name: 'registry' }],
      extraArgs: ['--context=lab'],
      resources: { requests: { cpu: 1 }, limits: { cpu: '2', memory: null } },
      podAnnotations: { 'example.org/team': 'vision' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'control', effect: 'NoSchedule' }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] }],
          },
        },
      },
      priorityClassName: 'system-cluster-critical',
    },
  ],
];

const namespaces = ['system', 'lab', 'second-lab'];

test('helm lint finds nothing, neither in the defaults nor in any option', async () => {
  for (const values of choices.flat()) {
    const printed = await helm(['lint', '--strict', chart, '--set-json', JSON.stringify(values)]);
    expect(printed).toContain('1 chart(s) linted, 0 chart(s) failed');
  }
});

describe('whatever is set', () => {
  let controlPlane: ControlPlane;
  let folder: string;
  beforeAll(async () => {
    controlPlane = await startControlPlane({ controllers: false });
    folder = mkdtempSync(join(tmpdir(), 'destill-chart-'));
    const { client } = controlPlane;
    const definitions = (await othersDefinitions()).flatMap((file) => ['--filename', file]);
    await client.kubectl('apply', '--server-side', ...definitions);
    await client.kubectl('wait', '--for=condition=Established', 'crd', '--all');
    for (const name of namespaces) {
      await client.send('POST', '/api/v1/namespaces', {
        metadata: {
          name,
          labels: {
            'pod-security.kubernetes.io/enforce': 'restricted',
            'pod-security.kubernetes.io/warn': 'restricted',
          },
        },
      });
    }
  });
  afterAll(async () => {
    await controlPlane?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  // Checked by the server that will have them, with the definitions of cert-manager and the Prometheus Operator: it
  // knows more than any copy of its schemas.
  it('the API server takes every object as it is, without a warning', async () => {
    const objects = new Map<string, string>();
    const combinations = all(choices);
    await eachOf(combinations, async (values) => {
      const [, ...texts] = `\n${await template(values)}`.split('\n---\n');
      for (const text of texts) objects.set(withoutKeys(text), text);
    });
    const file = join(folder, 'all.yaml');
    writeFileSync(file, [...objects.values()].join('\n---\n'));
    const printed = await controlPlane.client.kubectl(
      ...['apply', '--server-side', '--dry-run=server', '--validate=strict', '--warnings-as-errors'],
      ...['--filename', file],
    );
    expect(printed.trim().split('\n')).toHaveLength(objects.size);
    expect(combinations).toHaveLength(576);
    const kinds = [...objects.values()].map((text) => /^kind: (\w+)$/m.exec(text)?.[1]);
    expect([...new Set(kinds)].sort()).toEqual([
      'Certificate',
      'ClusterRole',
      'ClusterRoleBinding',
      'ConfigMap',
      'CustomResourceDefinition',
      'Deployment',
      'GrafanaDashboard',
      'GrafanaDatasource',
      'GrafanaFolder',
      'NetworkPolicy',
      'Pod',
      'PodDisruptionBudget',
      'PodMonitor',
      'PrometheusRule',
      'Role',
      'RoleBinding',
      'Secret',
      'Service',
      'ServiceAccount',
      'ServiceMonitor',
    ]);
  }, 600_000);
});

describe('the operator', () => {
  it('is told what it would do anyway, by the defaults, and where it is', async () => {
    expect(configIn(objectsIn(await template()))).toEqual({
      ...config([]),
      leaseName: 'lab-destillml',
      leaseNamespace: 'system',
      tlsCert: '/tls/tls.crt',
      tlsKey: '/tls/tls.key',
      pushUrl: 'https://lab-destillml.system.svc:8443',
      pushCa: '/tls/ca.crt',
    });
  });

  it('is told what is set', async () => {
    const values = {
      namespaces: ['lab', 'second-lab'],
      trainerImages: { cpu: { repository: 'registry.lab/trainer' }, gpu: { tag: '2.0-gpu' } },
      gpuResource: 'amd.com/gpu',
      progressInterval: 1.5,
      concurrency: 2,
      qps: 5.5,
      burst: 10000,
      logLevel: 'debug',
      extraArgs: ['--progress-interval=3'],
    };
    expect(configIn(objectsIn(await template(values)))).toMatchObject({
      namespaces: ['lab', 'second-lab'],
      imageCpu: `registry.lab/trainer:${packageFile.version}-cpu`,
      imageGpu: 'destillml/trainer:2.0-gpu',
      gpuResource: 'amd.com/gpu',
      progressInterval: 3,
      concurrency: 2,
      qps: 5.5,
      burst: 10000,
      logLevel: 'debug',
    });
  });

  it('may do what its rules say, in all namespaces or in those that it is for, and nothing else', async () => {
    const rules: Rules = parse(readFileSync(join(chart, 'files/rules.yaml'), 'utf8'));
    const everywhere = objectsIn(await template());
    const { cluster, lease } = rules;
    expect(rightsIn(everywhere)).toEqual([
      { namespace: undefined, rules: [...cluster, ...rules.namespaces] },
      { namespace: 'system', rules: lease },
    ]);
    expect(rightsIn(objectsIn(await template({ namespaces: ['lab', 'second-lab'] })))).toEqual([
      { namespace: undefined, rules: cluster },
      { namespace: 'system', rules: lease },
      { namespace: 'lab', rules: rules.namespaces },
      { namespace: 'second-lab', rules: rules.namespaces },
    ]);
  });
});

it('carries the dashboards and rules as they are generated', async () => {
  const metrics = {
    dashboards: {
      enabled: true,
      label: 'dashboards',
      labelValue: 'lab',
      folder: 'Lab',
      namespace: 'grafana',
    },
    prometheusRule: { enabled: true, runbooks: 'https://wiki.lab/runbooks' },
  };
  const objects = objectsIn(await template({ metrics }));
  const generated = join(chart, '../../dashboards/generated');
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap');
  expect(maps.map(({ metadata }) => metadata.name)).toEqual(
    ['experiment', 'lab-overview', 'operator', 'run', 'sweep'].map(
      (name) => `lab-destillml-dashboard-${name}`,
    ),
  );
  for (const { metadata, data } of maps) {
    expect(metadata).toMatchObject({
      namespace: 'grafana',
      labels: { dashboards: 'lab' },
      annotations: { grafana_folder: 'Lab' },
    });
    const name = metadata.name.replace('lab-destillml-dashboard-', '');
    expect(data).toEqual({
      [`destillml-${name}.json`]: readFileSync(join(generated, `${name}.json`), 'utf8'),
    });
  }
  const rules = readFileSync(join(generated, 'rules.yaml'), 'utf8');
  expect(only(objects, 'PrometheusRule').spec).toEqual(
    parse(rules.replaceAll('runbook: docs/runbooks/', 'runbook_url: https://wiki.lab/runbooks/')),
  );
});

it('provisions the data source for the sidecar, as Grafana reads it', async () => {
  const dataSource = { enabled: true, name: 'Lab', uid: 'lab', url: 'http://prometheus:9090', default: true };
  const objects = objectsIn(await template({ metrics: { dataSource } }));
  const { metadata, data } = only(objects, 'ConfigMap');
  expect(metadata.labels).toMatchObject({ grafana_datasource: '1' });
  expect(parse(Object(data)['destillml.yaml'])).toEqual({
    apiVersion: 1,
    datasources: [
      {
        name: 'Lab',
        uid: 'lab',
        type: 'prometheus',
        access: 'proxy',
        url: 'http://prometheus:9090',
        isDefault: true,
        jsonData: { httpMethod: 'POST', timeInterval: '15s' },
      },
    ],
  });
});

it('gives the Grafana Operator a folder, a dashboard of each ConfigMap, and the data source', async () => {
  const metrics = {
    dashboards: { enabled: true, folder: 'Lab', namespace: 'grafana' },
    dataSource: { enabled: true },
    grafanaOperator: { enabled: true, instanceLabels: { dashboards: 'grafana' } },
  };
  const objects = objectsIn(await template({ metrics }));
  const instanceSelector = { matchLabels: { dashboards: 'grafana' } };
  expect(only(objects, 'GrafanaFolder')).toMatchObject({
    metadata: { name: 'lab-destillml', namespace: 'grafana' },
    spec: { instanceSelector, title: 'Lab' },
  });
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap');
  // The sidecar, where there is one too, does not load them a second time.
  for (const { metadata } of maps) expect(metadata.labels).not.toHaveProperty('grafana_dashboard');
  const boards = objects.filter(({ kind }) => kind === 'GrafanaDashboard');
  expect(boards.map(({ spec }) => spec)).toEqual(
    maps.map(({ metadata: { name }, data }) => ({
      instanceSelector,
      folderRef: 'lab-destillml',
      configMapRef: { name, key: Object.keys(Object(data))[0] },
    })),
  );
  expect(boards).toHaveLength(5);
  const source = only(objects, 'GrafanaDatasource');
  expect(source.spec).toMatchObject({
    instanceSelector,
    uid: 'destillml',
    datasource: { name: 'DestillML', type: 'prometheus', access: 'proxy', isDefault: false },
  });
});

it('leads from alerts to no address where their pages are published nowhere', async () => {
  const objects = objectsIn(await template({ metrics: { prometheusRule: { enabled: true } } }));
  const rules = readFileSync(join(chart, '../../dashboards/generated/rules.yaml'), 'utf8');
  expect(rules).not.toContain('://');
  expect(only(objects, 'PrometheusRule').spec).toEqual(parse(rules));
});

describe('a value that is not allowed is refused, and named:', () => {
  test.each([
    [{ replica: 2 }, "additional properties 'replica' not allowed"],
    [{ replicas: '2' }, "at '/replicas': got string, want integer"],
    [{ image: { tag: 'a b' } }, "at '/image/tag': 'a b' does not match"],
    [{ image: { pullPolicy: 'Sometimes' } }, "at '/image/pullPolicy': value must be one of"],
    [{ namespaces: ['Lab'] }, "at '/namespaces/0': 'Lab' does not match"],
    [{ namespaces: ['lab', 'lab'] }, "at '/namespaces': items at 0 and 1 are equal"],
    [{ trainerImages: { tpu: {} } }, "at '/trainerImages': additional properties 'tpu' not allowed"],
    [{ qps: 0 }, "at '/qps': exclusiveMinimum"],
    [{ logLevel: 'trace' }, "at '/logLevel': value must be one of 'debug', 'info', 'warn', 'error'"],
    [{ resources: { limits: { memory: '512MB' } } }, "at '/resources/limits/memory': '512MB' does not match"],
    [{ tls: { certManager: { enabled: true } } }, "at '/tls/certManager/issuerRef/name': minLength"],
    [
      { metrics: { readers: [{ namespace: 'monitoring' }] } },
      "at '/metrics/readers/0': missing property 'serviceAccount'",
    ],
    [
      { metrics: { podMonitor: { interval: '15' } } },
      "at '/metrics/podMonitor/interval': '15' does not match",
    ],
    [
      { metrics: { prometheusRule: { runbooks: 'wiki' } } },
      "at '/metrics/prometheusRule/runbooks': 'wiki' does not",
    ],
    [
      { metrics: { dashboards: { labelValue: 1 } } },
      "at '/metrics/dashboards/labelValue': got number, want string",
    ],
    [
      { metrics: { dataSource: { url: 'prometheus:9090' } } },
      "at '/metrics/dataSource/url': 'prometheus:9090' does not match",
    ],
    [{ networkPolicy: { apiServer: { ports: [] } } }, "at '/networkPolicy/apiServer/ports': minItems"],
  ])('%j', async (values, message) => {
    await expect(template(values)).rejects.toThrow(message);
  });

  test('two certificates', async () => {
    const tls = { existingSecret: 'mine', certManager: { enabled: true, issuerRef: { name: 'lab' } } };
    await expect(template({ tls })).rejects.toThrow(
      'tls.existingSecret and tls.certManager.enabled exclude each other: set one of them',
    );
  });

  test('one that is taken away, unless the chart can do without it', async () => {
    const defaults: object = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
    const refused: string[] = [];
    for (const path of pathsIn(defaults)) {
      const values = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), null);
      const failure = await template(Object(values)).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      if (failure === undefined) continue;
      expect(failure).toContain(`missing property '${path.at(-1)}'`);
      refused.push(path.join('.'));
    }
    expect(refused).toContain('image');
    expect(refused).not.toContain('resources');
  }, 300_000);
});

it('can be a dependency of another chart', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'destill-parent-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const dependencies = [
    {
      name: 'destillml',
      version: packageFile.version,
      repository: `file://${chart}`,
      condition: 'destillml.enabled',
    },
  ];
  writeFileSync(
    join(parent, 'Chart.yaml'),
    JSON.stringify({ apiVersion: 'v2', name: 'lab', version: '1.0.0', dependencies }),
  );
  mkdirSync(join(parent, 'charts'));
  await helm(['package', chart, '--destination', join(parent, 'charts')]);
  const values = { global: { team: 'vision' }, destillml: { enabled: true, replicas: 3 } };
  const objects = objectsIn(await template(values, { from: parent }));
  expect(only(objects, 'Deployment').spec).toMatchObject({ replicas: 3 });
});

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};
type Rules = Readonly<Record<'namespaces' | 'cluster' | 'lease', readonly Rule[]>>;

/** What roles the operator's service account is bound to, and in which namespace. */
function rightsIn(
  objects: readonly Rendered[],
): readonly { readonly namespace: string | undefined; readonly rules: unknown }[] {
  const account = only(objects, 'ServiceAccount').metadata;
  const { serviceAccountName } = Object(only(objects, 'Deployment').spec).template.spec;
  expect(serviceAccountName).toBe(account.name);
  const bindings = objects.filter(
    ({ kind, subjects }) => /Binding$/.test(kind) && JSON.stringify(subjects).includes('ServiceAccount'),
  );
  return bindings.map(({ metadata: { namespace }, subjects, roleRef }) => {
    expect(subjects).toEqual([{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }]);
    const { kind, name } = Object(roleRef);
    const role = objects.find(
      (object) =>
        object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace,
    );
    return { namespace, rules: role?.rules };
  });
}

function configIn(objects: readonly Rendered[]) {
  const [container] = Object(only(objects, 'Deployment').spec).template.spec.containers;
  return config(container.args);
}

function config(args: readonly string[]) {
  const nowhere = { write: () => undefined };
  return readConfig(args, { env: {}, stdout: nowhere, stderr: nowhere });
}

/** Each choice with each of all others. */
function all(open: readonly (readonly object[])[]): readonly object[] {
  const [first, ...rest] = open;
  if (first === undefined) return [{}];
  return all(rest).flatMap((values) => first.map((value) => merged(value, values)));
}

function merged(one: object, other: object): object {
  const entries = Object.entries(other).map(([name, value]) => {
    const known: unknown = Object.entries(one).find(([key]) => key === name)?.[1];
    return [name, isPlain(known) && isPlain(value) ? merged(known, value) : value];
  });
  return { ...one, ...Object.fromEntries(entries) };
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Four at a time. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const open = [...items];
  const worker = async () => {
    for (let item = open.pop(); item !== undefined; item = open.pop()) await work(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

/** Without what is drawn anew each time. */
function withoutKeys(text: string): string {
  return text.replaceAll(/^ +(ca\.crt|tls\.crt|tls\.key|checksum\/certificate): \S+$/gm, '');
}

/** Paths of all values, also of those that hold others. */
function pathsIn(values: object): readonly (readonly string[])[] {
  return Object.entries(values).flatMap(([name, value]) => [
    [name],
    ...(isPlain(value) ? pathsIn(value).map((path) => [name, ...path]) : []),
  ]);
}
