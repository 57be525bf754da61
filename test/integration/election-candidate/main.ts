/** A candidate that does nothing but lead, in a process that a test can kill. It says so on its output. */
import { once } from 'node:events';
import { pino } from 'pino';
import { systemClock } from '../../../operator/runtime/clock.ts';
import { Connection } from '../../../operator/runtime/connection.ts';
import { loadKubeConfig } from '../../../operator/runtime/kube-config.ts';
import { LeaderElection } from '../../../operator/runtime/leader-election.ts';
import { clientOn } from '../runtime-fixtures.ts';

const [file = '', namespace = '', identity = ''] = process.argv.slice(2);

const stop = new AbortController();
const election = new LeaderElection({
  client: clientOn(new Connection(loadKubeConfig({ file }))),
  lease: { namespace, name: 'operator' },
  identity,
  times: { lease: 3_000, renewDeadline: 2_000, retry: 400 },
  clock: systemClock,
  random: Math.random,
  log: pino({ level: 'silent' }),
});
await election.run(async (signal) => {
  process.stdout.write('leading\n');
  await once(signal, 'abort');
}, stop.signal);
