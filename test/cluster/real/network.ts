import type { Launch } from '../child.ts';
import { waitFor } from '../wait.ts';
import type { Namespaces } from './namespaces.ts';
import { run } from './run.ts';

/**
 * Addresses of the cluster, from a range that is set aside for the tests of networks (RFC 2544) and that no network of
 * a user's should have. A link joins the machine and the cluster's network namespace; both know the way to pods and
 * Services. There is no way out of it: nothing in the cluster reaches anything beyond this machine.
 */
export const network = {
  /** Where the machine is found from inside: something that listens there is reached by pods. */
  machine: '198.18.0.1',
  /** Where the API server and the kubelet listen. */
  node: '198.18.0.2',
  pods: '198.18.1.0/24',
  services: '198.19.0.0/16',
  dns: '198.19.0.10',
} as const;

/** The machine's end of the link, the only interface that is seen outside. */
const linkName = 'dml-cluster';

const whole = '198.18.0.0/15';

/** @throws Error if the machine has a way to such addresses already */
export async function checkAddressesAreFree(): Promise<void> {
  const routes = await run('ip', '-4', 'route', 'show', 'root', whole);
  if (routes.trim() !== '') {
    throw new Error(`the cluster needs ${whole}, where this machine has a network already:\n${routes}`);
  }
}

export async function connectNetwork({ init }: Namespaces, { command }: Launch): Promise<void> {
  const { machine, node, pods, services } = network;
  const [enter = '', ...flags] = command;
  const ip = (...words: readonly string[]) => run('ip', ...words);
  const inner = (...words: readonly string[]) => run(enter, ...flags, 'ip', ...words);

  await ip('link', 'add', linkName, 'type', 'veth', 'peer', 'name', 'machine', 'netns', String(init.pid));
  await ip('address', 'add', `${machine}/30`, 'dev', linkName);
  await ip('link', 'set', linkName, 'up');
  await inner('address', 'add', `${node}/30`, 'dev', 'machine');
  await inner('link', 'set', 'machine', 'up');
  await ip('route', 'add', pods, 'via', node);
  await ip('route', 'add', services, 'via', node);
  // A packet to a Service must have a way to go before kube-proxy's rules are asked where it goes.
  await inner('route', 'add', services, 'dev', 'machine');
}

/** The kernel removes the link some time after the namespace at its other end. */
export async function networkGone(): Promise<void> {
  await waitFor(`the interface ${linkName} to go`, async () => {
    const links = await run('ip', '-oneline', 'link', 'show');
    return !links.includes(` ${linkName}@`) || undefined;
  });
}
