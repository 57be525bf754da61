import type { Children } from '../children.ts';
import type { Client } from '../client.ts';
import { waitFor } from '../wait.ts';
import { shellImage } from './programs.ts';
import { nodeName } from './settings.ts';

const pods = '/api/v1/namespaces/default/pods';
const name = 'probe';

/** A pod that says so once a name is resolved for it, and what that stands for answers. */
export async function startProbe(client: Client): Promise<void> {
  await client.send('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      // What is asked before CoreDNS is there gets no answer.
      dnsConfig: {
        options: [
          { name: 'timeout', value: '1' },
          { name: 'attempts', value: '1' },
        ],
      },
      containers: [{ name: 'probe', image: shellImage, command: ['sh', '-c', script] }],
    },
  });
}

// The name is answered by CoreDNS, through its Service; the address is that of a Service, and pods reach it.
const script = 'until nc -w 2 kubernetes.default 443 </dev/null; do sleep 0.1; done; echo reached';

/** Waits until the node is ready, and the probe has reached what it looks for; then removes it. */
export async function checkWorks(client: Client, children: Children): Promise<void> {
  await waitFor(
    'the node to be ready, and a pod to reach a Service by its name',
    async () => {
      children.check();
      const node = await client.send<Node>('GET', `/api/v1/nodes/${nodeName}`);
      // What it prints is there earlier than word of its end, and shows that logs can be read.
      const { body } = await client.request('GET', `${pods}/${name}/log`);
      const isReady = node.status.conditions.some((one) => one.type === 'Ready' && one.status === 'True');
      return (isReady && String(body).endsWith('reached\n')) || undefined;
    },
    90_000,
  );
  await client.send('DELETE', `${pods}/${name}`);
}

type Node = {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
};
