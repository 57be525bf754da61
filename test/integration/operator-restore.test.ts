import { expect, it, onTestFinished } from 'vitest';
import { startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment, Lab, startOperator } from './operator-fixtures.ts';

it('a store that is restored from a backup is noticed, and what there is then is seen to', async () => {
  const controlPlane = await startControlPlane({ crds: true, controllers: false });
  onTestFinished(() => controlPlane.stop());
  const { client } = controlPlane;
  const here = new Lab(client, await client.newNamespace('restored'));
  const { complaints } = await startOperator(client.access.kubeconfig, [here.namespace]);
  const numberOfRuns = async (name: string) =>
    (await here.runs()).filter(({ spec }) => spec.experiment === name).length;
  const planned = (name: string) =>
    waitFor(`the Runs of ${name}`, async () => (await numberOfRuns(name)) === 3 || undefined);

  await here.apply(experiment('kept'));
  await planned('kept');
  await controlPlane.backUp();
  for (const name of ['lost-1', 'lost-2', 'lost-3']) {
    await here.apply(experiment(name));
    await planned(name);
  }
  await controlPlane.restore();
  const restored = performance.now();
  expect((await here.runs()).every(({ spec }) => spec.experiment === 'kept')).toBe(true);

  await here.apply(experiment('new'));
  await planned('new');
  console.log(`seen to ${Math.round(performance.now() - restored)} ms after the restore`);
  expect(await numberOfRuns('kept')).toBe(3);
  expect(complaints.map(({ err }) => (err as Error)?.message).join()).toMatch(/restored from a backup/);
});
