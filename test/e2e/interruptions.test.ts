import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Experiment, Run } from '../../operator/controllers/kinds.ts';
import { addVolume } from '../cluster/real/volume.ts';
import { waitFor } from '../cluster/wait.ts';
import { ClusterLab, hasEpochs } from './cluster-lab.ts';
import { createClaim } from './pods.ts';
import { epochs, study } from './study.ts';

const minutes = 60_000;

let lab: ClusterLab;
beforeAll(async () => {
  lab = await ClusterLab.open();
}, 5 * minutes);
afterAll(() => lab?.close());

/** What a Run wrote down on the volume of each epoch, but for the time that it took. */
function history(experiment: string, run: string): { readonly epoch: number }[] {
  const file = join(lab.volume, lab.namespace, experiment, run, 'history.jsonl');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const { seconds, imagesPerSecond, ...record } = JSON.parse(line);
    return record;
  });
}

/** Of the teacher of the Experiment that was interrupted first: all of them train the same. */
let first: unknown;

async function expectComplete(experiment: string): Promise<readonly Run[]> {
  const { status } = await lab.ended(experiment);
  expect(status).toMatchObject({ phase: 'Complete', runs: { Succeeded: 3 } });
  const runs = await lab.runsOf(experiment);
  for (const { metadata, spec } of runs) {
    const records = history(experiment, metadata.name);
    expect(records.map(({ epoch }) => epoch)).toEqual(
      Array.from({ length: epochs }, (_, index) => index + 1),
    );
    if (spec.parameters.role !== 'teacher') continue;
    // Wherever it was interrupted, every number is that of the others.
    first ??= records;
    expect(records).toEqual(first);
  }
  return runs;
}

describe('an Experiment goes on', () => {
  it(
    'from the checkpoint, when a pod is deleted in the middle of training',
    async () => {
      await lab.apply(study('bereft'));
      const { metadata } = await lab.runThat('bereft', 'teacher', hasEpochs(3), 'have trained three epochs');
      const log = await lab.bereave(metadata.name);
      expect(log).toMatch(/Going on from epoch ([3-9]|10), step \d+\./);
      await expectComplete('bereft');
    },
    15 * minutes,
  );

  it(
    'when its pod is deleted before the trainer began, which spends no retry, not even the only one',
    async () => {
      const pod = { gpus: 1, image: 'registry.invalid/none:1' };
      await lab.apply(study('unbegun', { retries: 0, distillation: [], pod }));
      const waits = ({ status }: Run) => status?.reason === 'ImagePullBackOff';
      const { metadata } = await lab.runThat('unbegun', 'teacher', waits, 'wait for its image');
      const jobOf = () => lab.get<{ metadata: { uid: string } }>(`job/${metadata.name}`);
      const before = await jobOf();
      await lab.kubectl('delete', 'pods', `--selector=batch.kubernetes.io/job-name=${metadata.name}`);
      const { status } = await lab.runThat(
        'unbegun',
        'teacher',
        (run) => run.status?.preemptions === 1 && (waits(run) || run.status.completionTime !== undefined),
        'wait for its image again',
      );
      expect(status).toMatchObject({ phase: 'Starting', attempts: 0 });
      expect(status?.failures).toBeUndefined();
      // The kubelet says exit code 137, so that the Job controller counts a failure; another Job follows.
      expect((await jobOf()).metadata.uid).not.toBe(before.metadata.uid);
      await lab.kubectl('delete', 'dexp/unbegun');
    },
    3 * minutes,
  );

  it(
    'when the pod of the operator is deleted: with the same Jobs, each trained once',
    async () => {
      await lab.apply(study('headless'));
      await lab.runThat('headless', 'teacher', hasEpochs(1), 'have trained an epoch');
      const jobs = async () => {
        const { items } = await lab.get<{ items: { metadata: { name: string; uid: string } }[] }>('jobs');
        return new Map(items.map(({ metadata: { name, uid } }) => [name, uid]));
      };
      const before = await jobs();
      await lab.client.kubectl(
        '--namespace=destillml-system',
        'delete',
        'pods',
        '--selector=app.kubernetes.io/component=operator',
      );
      const runs = await expectComplete('headless');
      const after = await jobs();
      for (const [name, uid] of before) expect(after.get(name)).toBe(uid);
      for (const { status } of runs) expect(status).toMatchObject({ attempts: 1, preemptions: 0 });
    },
    15 * minutes,
  );

  it(
    'after a pause, in which it has no pods',
    async () => {
      await lab.apply(study('paused'));
      const { metadata } = await lab.runThat('paused', 'teacher', hasEpochs(2), 'have trained two epochs');
      const suspend = (value: boolean) =>
        lab.kubectl('patch', 'dexp/paused', '--type=merge', `--patch={"spec":{"suspend":${value}}}`);
      await suspend(true);
      await lab.kubectl('wait', '--for=condition=Suspended', '--timeout=30s', 'experiment/paused');
      await waitFor(
        'the pods to go',
        async () =>
          (await lab.kubectl('get', 'pods', '--output=name')).includes('paused') === false || undefined,
        2 * minutes,
      );
      const done = history('paused', metadata.name).length;
      expect(done).toBeGreaterThanOrEqual(2);
      expect(done).toBeLessThan(epochs);
      await suspend(false);
      await expectComplete('paused');
    },
    15 * minutes,
  );
});

describe('a mistake', () => {
  it('in a spec is refused by the API server, which names the field', async () => {
    const wrong = study('wrong', { teacher: { model: 'resnet19' } });
    await expect(lab.apply(wrong)).rejects.toThrow(/spec\.teacher\.model: Unsupported value: "resnet19"/);
    const both = study('wrong', { dataset: { name: 'mnist', source: {}, validation: 500 } });
    await expect(lab.apply(both)).rejects.toThrow(/spec\.dataset\.source: .*exactly one of/);
  });

  it(
    'such as a claim that is not there shows in the conditions, with what to do; once mended it goes on',
    async () => {
      await lab.apply(
        study('homeless', {
          storage: { persistentVolumeClaim: { claimName: 'somewhere' } },
          distillation: [],
          pod: { gpus: 1, resources: { limits: { cpu: '900m' } } },
        }),
      );
      const condition = (of: Experiment | Run) =>
        of.status?.conditions?.find(({ type, status }) => type === 'Progressing' && status === 'False');
      const run = await lab.runThat(
        'homeless',
        'teacher',
        (each) => condition(each) !== undefined,
        'complain',
      );
      expect(condition(run)).toMatchObject({
        reason: 'VolumeClaimMissing',
        message: `PersistentVolumeClaim somewhere does not exist in namespace ${lab.namespace}. Create it; the Run then starts by itself.`,
      });
      const experiment = await waitFor('the Experiment to say so, too', async () => {
        const found = await lab.get<Experiment>('dexp/homeless');
        return condition(found) && found;
      });
      expect(condition(experiment)?.message).toContain('somewhere');

      await addVolume(lab.client, { namespace: lab.namespace, claim: 'somewhere' });
      await createClaim(lab.client, lab.namespace, 'somewhere');
      await lab.runThat('homeless', 'teacher', hasEpochs(1), 'train');
      const printed = await lab.kubectl(
        'exec',
        `job/${run.metadata.name}`,
        '--',
        'printenv',
        'TF_NUM_INTRAOP_THREADS',
      );
      expect(printed).toBe('1\n');
      await lab.kubectl('delete', 'dexp/homeless');
    },
    5 * minutes,
  );

  it('such as a pod without restrictions would be refused: the namespace enforces them', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'open' },
      spec: { containers: [{ name: 'shell', image: 'localhost/shell:1' }] },
    };
    await expect(lab.apply(pod)).rejects.toThrow('violates PodSecurity "restricted:latest"');
  });
});
