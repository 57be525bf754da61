import type { Client } from '../cluster/client.ts';
import { type Lab, startOperator } from './operator-fixtures.ts';
import { type Cut, SeveredProxy } from './severed-proxy.ts';

export type Life = {
  /** What it asked the API server to write. */
  readonly writes: readonly string[];
  /** Whether it was cut off before the Experiment was Complete. */
  readonly severed: boolean;
};

/** One life of an operator, until the Experiment is Complete or the cut ends it. */
export async function live(client: Client, here: Lab, experiment: string, cut?: Cut): Promise<Life> {
  const proxy = await SeveredProxy.open(client.access, cut);
  const { stop } = await startOperator(proxy.kubeconfig, [here.namespace]);
  const over = new AbortController();
  const complete = here.until(
    experiment,
    'to be Complete',
    ({ status }) => over.signal.aborted || status?.phase === 'Complete',
  );
  const severed = await Promise.race([proxy.severed.then(() => true), complete.then(() => false)]);
  over.abort();
  await complete;
  await proxy.close();
  await stop();
  return { writes: proxy.writes, severed };
}
