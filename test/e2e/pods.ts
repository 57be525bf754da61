import type { Client } from '../cluster/client.ts';
import { shellImage } from '../cluster/real/programs.ts';
import { waitFor } from '../cluster/wait.ts';

/** What is read of a pod. */
export type Pod = {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly state: {
        readonly waiting?: { readonly reason: string };
        readonly terminated?: {
          readonly exitCode: number;
          readonly startedAt: string;
          readonly finishedAt: string;
        };
      };
    }[];
  };
};

/** A container's security context, and its pod's, as a namespace demands that enforces `restricted`. */
export const restricted = {
  pod: {
    runAsUser: 10001,
    runAsGroup: 10001,
    fsGroup: 10001,
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  },
  container: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
  },
} as const;

/** Spec of a pod that runs a script of the shell once, with the volume of a claim at /data if there is one. */
export function shell(script: string, { claim }: { readonly claim?: string } = {}) {
  const mounts = claim === undefined ? [] : [{ name: 'data', mountPath: '/data' }];
  const volumes = claim === undefined ? [] : [{ name: 'data', persistentVolumeClaim: { claimName: claim } }];
  return {
    restartPolicy: 'Never',
    securityContext: restricted.pod,
    containers: [
      {
        name: 'shell',
        image: shellImage,
        command: ['sh', '-c', script],
        securityContext: restricted.container,
        volumeMounts: mounts,
      },
    ],
    volumes,
  };
}

export async function createPod(
  client: Client,
  namespace: string,
  name: string,
  spec: object,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec };
  await client.send('POST', `/api/v1/namespaces/${namespace}/pods`, pod);
}

export async function createClaim(client: Client, namespace: string, name: string): Promise<void> {
  await client.send('POST', `/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
  });
}

/** The pod, once it is as it should be. */
export function podThat(
  client: Client,
  namespace: string,
  name: string,
  is: (pod: Pod) => boolean,
  what: string,
): Promise<Pod> {
  return waitFor(
    `pod ${name} to ${what}`,
    async () => {
      const pod = await client.send<Pod>('GET', `/api/v1/namespaces/${namespace}/pods/${name}`);
      return is(pod) ? pod : undefined;
    },
    60_000,
  );
}

export function runningPod(client: Client, namespace: string, name: string): Promise<Pod> {
  return podThat(client, namespace, name, ({ status }) => status.phase === 'Running', 'run');
}

/** What the pod printed. @throws Error with it, unless the pod ended well */
export async function outputOf(client: Client, namespace: string, name: string): Promise<string> {
  const isEnded = ({ status }: Pod) => status.phase === 'Succeeded' || status.phase === 'Failed';
  const { status } = await podThat(client, namespace, name, isEnded, 'end');
  const output = await client.kubectl('logs', `--namespace=${namespace}`, name);
  if (status.phase !== 'Succeeded') throw new Error(`pod ${name} failed, having printed:\n${output}`);
  return output;
}
