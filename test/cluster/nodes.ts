import { container, variable } from '../../operator/jobs/contract.ts';
import type { Client } from './client.ts';
import { waitFor } from './wait.ts';

/** Nodes that kwok plays: pods run on them at once, and nothing is executed. */
export type FakeNodes = {
  readonly count: number;
  /** `nvidia.com/gpu` of each. */
  readonly gpus: number;
  /** How long a pod of a Job runs before it succeeds: 1000 unless told. */
  readonly runMilliseconds?: number;
  /**
   * Termination message of its container `trainer`, if it has one. A trainer that is told to pause at an epoch says that it
   * has come there instead; the nearer its learning rate is to 0.3 and the later the epoch, the higher its accuracy.
   */
  readonly terminationMessage: string;
};

/** What each node has, beside GPUs: more than pods ask for, so that GPUs are what runs out. */
const plenty = { cpu: '256', memory: '4Ti', 'ephemeral-storage': '4Ti', pods: '1000' };

/** Pods that kwok brings a step further at a time; its own default is 4. */
const parallelism = 16;

/** Makes the nodes `gpu-1`, `gpu-2`… */
export async function createNodes(client: Client, { count, gpus }: FakeNodes): Promise<void> {
  const resources = { ...plenty, 'nvidia.com/gpu': String(gpus) };
  const names = Array.from({ length: count }, (_, index) => `gpu-${index + 1}`);
  await Promise.all(
    names.map((name) =>
      client.send('POST', '/api/v1/nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
        status: { capacity: resources, allocatable: resources },
      }),
    ),
  );
}

/** Waits until the scheduler may place pods on all nodes: a new one is tainted until it is ready. */
export async function nodesReady(client: Client, check: () => void): Promise<void> {
  await waitFor('the nodes to be ready', async () => {
    check();
    const { items } = await client.send<NodeList>('GET', '/api/v1/nodes');
    return items.every(({ spec }) => (spec.taints ?? []).length === 0) || undefined;
  });
}

type NodeList = { readonly items: readonly { readonly spec: { readonly taints?: readonly unknown[] } }[] };

/** It listens nowhere, and knows no limit of requests. */
export function kwokFlags(kubeconfig: string, config: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${config}`,
    '--manage-all-nodes',
    '--node-lease-duration-seconds=40',
  ];
}

/** Documents of kwok's configuration: JSON is YAML. */
export function kwokConfig({ runMilliseconds = 1000, terminationMessage }: FakeNodes): string {
  // Given any, it has no defaults for the others.
  const options = {
    cidr: '10.0.0.0/16',
    podPlayStageParallelism: parallelism,
    nodePlayStageParallelism: parallelism,
    nodeLeaseParallelism: parallelism,
    podsOnNodeSyncParallelism: parallelism,
    enablePodsOnNodeSyncListPager: true,
  };
  const documents = [
    { apiVersion: 'config.kwok.x-k8s.io/v1alpha1', kind: 'KwokConfiguration', options },
    stage('node-ready', 'Node', [not('ready', 'True')], patch(nodeReady)),
    stage('pod-runs', 'Pod', [kept, is('phase', 'Pending')], patch(podRuns)),
    stage(
      'pod-succeeds',
      'Pod',
      [kept, is('phase', 'Running'), ofJob],
      patch(podSucceeds(terminationMessage)),
      {
        durationMilliseconds: runMilliseconds,
      },
    ),
    // As a kubelet does: nobody replaces a pod that has not ended.
    stage('pod-told-to-go', 'Pod', [told, not('phase', 'Succeeded', 'Failed')], patch(podToldToGo)),
    stage('pod-goes', 'Pod', [told, is('phase', 'Succeeded', 'Failed')], { delete: true }),
  ];
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

const keys = {
  phase: '.status.phase',
  ready: '.status.conditions.[] | select( .type == "Ready" ) | .status',
} as const;

type Expression = {
  readonly jq: { readonly key: string; readonly operator: string; readonly values?: readonly string[] };
};

const is = (key: keyof typeof keys, ...values: string[]): Expression => ({
  jq: { key: keys[key], operator: 'In', values },
});
const not = (key: keyof typeof keys, ...values: string[]): Expression => ({
  jq: { key: keys[key], operator: 'NotIn', values },
});
const told: Expression = { jq: { key: '.metadata.deletionTimestamp', operator: 'Exists' } };
const kept: Expression = { jq: { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' } };
const ofJob: Expression = {
  jq: { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] },
};

/** What kwok does to every object that the expressions match, once `delay` is over. */
function stage(
  name: string,
  kind: 'Node' | 'Pod',
  matchExpressions: readonly Expression[],
  step: object,
  delay?: { readonly durationMilliseconds: number },
): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind },
      selector: { matchExpressions },
      ...(delay ? { delay } : {}),
      steps: [step],
    },
  };
}

/** @param template of the status, in YAML as kwok renders it; conditions are merged by type */
function patch(template: string): object {
  return { patch: { subresource: 'status', root: 'status', template } };
}

const nodeReady = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
`;

const podRuns = `
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
${condition('Initialized', 'True')}
${condition('Ready', 'True')}
${condition('ContainersReady', 'True')}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
`;

function podSucceeds(message: string): string {
  return `
{{ $now := Now }}
phase: Succeeded
conditions:
${condition('Ready', 'False', 'PodCompleted')}
${condition('ContainersReady', 'False', 'PodCompleted')}
${terminated(0, 'Completed', lastWord(message))}
`;
}

const podToldToGo = `
{{ $now := Now }}
phase: Failed
conditions:
${condition('Ready', 'False', 'PodFailed')}
${condition('ContainersReady', 'False', 'PodFailed')}
${terminated(75, 'Error', quoted(JSON.stringify({ outcome: 'preempted', epoch: 0, step: 0 })))}
`;

/** That it came to the epoch at which it was told to pause, if it was; in the functions that kwok knows, sprig's. */
function lastWord(otherwise: string): string {
  return [
    '{{ $told := dict }}',
    `{{ range .env }}{{ if eq .name "${variable.assignment}" }}{{ $told = fromJson .value }}{{ end }}{{ end }}`,
    '{{ $epochs := dig "parameters" "training" "epochs" 0 $told | int }}',
    '{{ $until := dig "untilEpoch" $epochs $told | int }}',
    '{{ if lt $until $epochs }}',
    '{{ $rate := float64 $told.parameters.training.optimizer.learningRate }}',
    '{{ $miss := subf (maxf $rate 0.3) (minf $rate 0.3) }}',
    '{{ $accuracy := subf 0.76 (divf $miss 10) (divf 1 (addf 2 $until)) }}',
    '{{ dict "outcome" "paused" "epoch" $until "validationAccuracy" (round $accuracy 6) | toJson | toJson }}',
    `{{ else }}${quoted(otherwise)}{{ end }}`,
  ].join('');
}

function condition(type: string, status: 'True' | 'False', reason?: string): string {
  return `- type: ${type}
  status: "${status}"
  reason: ${reason ?? 'null'}
  lastTransitionTime: {{ $now | Quote }}`;
}

/** @param message template of YAML */
function terminated(exitCode: number, reason: string, message: string): string {
  return `containerStatuses:
{{ $statuses := or .status.containerStatuses list }}
{{ range $index, $container := .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state:
    terminated:
      exitCode: ${exitCode}
      reason: ${reason}
      {{ if eq .name "${container}" }}
      message: ${message}
      {{ end }}
      startedAt: {{ with $statuses }}{{ (index . $index).state.running.startedAt | Quote }}{{ else }}{{ $now | Quote }}{{ end }}
      finishedAt: {{ $now | Quote }}
{{ end }}`;
}

/** Text in double quotes that are the same in JSON and YAML; without braces, which the template would take for its own. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('{', '\\u007b').replaceAll('}', '\\u007d');
}
