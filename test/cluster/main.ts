/**
 * A real cluster of one node on this machine: etcd, the servers of Kubernetes, containerd, CoreDNS, and two GPUs that
 * are only counted. `node test/cluster/main.ts up [--install] | down | status | import ARCHIVE… |
 * volume NAMESPACE/CLAIM | kubectl … | helm …`, as root; needs `test/cluster/build.sh cluster`.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { binary } from './child.ts';
import { bringUp, connect, dataFolder, importImages, serverStates, takeDown } from './real/cluster.ts';
import { toolEnvironment } from './real/tools.ts';
import { addVolume } from './real/volume.ts';

const usage = `Usage: node test/cluster/main.ts COMMAND

  up [--install]           bring the cluster up; --install: and the Debian packages it needs
  down                     take it down, and remove all that it made
  status                   say which of its servers run
  import ARCHIVE…          give it the images of "docker save" or "buildah push docker-archive:"
  volume NAMESPACE/CLAIM   make a volume that a claim of this name will get; prints its folder
  kubectl …, helm …        the programs, for this cluster and no other
`;

const [command, ...rest] = process.argv.slice(2);
const say = (what: string) => console.log(`[cluster] ${what}`);

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`[cluster] FAILED: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  switch (command) {
    case 'up': {
      const { values } = parseArgs({ args: rest, options: { install: { type: 'boolean', default: false } } });
      (await bringUp({ ...values, say })).close();
      say(
        `KUBECONFIG=${dataFolder}/kubeconfig, or: node test/cluster/main.ts kubectl get pods --all-namespaces`,
      );
      return 0;
    }
    case 'down':
      await takeDown({ say });
      return 0;
    case 'status':
      return status();
    case 'import':
      for (const archive of rest) say(`The node has ${(await importImages(archive)).join(', ')}.`);
      return 0;
    case 'volume': {
      const [namespace = '', claim = ''] = rest[0]?.split('/') ?? [];
      const client = await connect();
      console.log(await addVolume(client, { namespace, claim }));
      client.close();
      return 0;
    }
    case 'kubectl':
    case 'helm':
      return tool(command);
    default:
      console.error(usage);
      return 2;
  }
}

async function status(): Promise<number> {
  const states = Object.entries(serverStates());
  if (states.length === 0) say('The cluster is not up.');
  for (const [name, runs] of states) say(`${name}: ${runs ? 'runs' : 'has ended'}`);
  return states.length > 0 && states.every(([, runs]) => runs) ? 0 : 1;
}

async function tool(name: 'kubectl' | 'helm'): Promise<number> {
  const client = await connect();
  client.close();
  const { status } = spawnSync(binary(name), rest, { stdio: 'inherit', env: toolEnvironment(client.access) });
  return status ?? 1;
}
