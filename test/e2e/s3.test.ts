import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '../../operator/controllers/kinds.ts';
import { network } from '../cluster/real/network.ts';
import { waitFor } from '../cluster/wait.ts';
import { type Keys, labKeys, S3Store } from '../integration/s3-store.ts';
import { ClusterLab, hasEpochs } from './cluster-lab.ts';
import { epochs, study } from './study.ts';

const minutes = 60_000;

let lab: ClusterLab;
let store: S3Store;
/** Has room for nothing. */
let full: S3Store;
beforeAll(async () => {
  lab = await ClusterLab.open();
  store = await S3Store.start({ host: network.machine });
  full = await S3Store.start({ host: network.machine, size: '4k' });
  await full.bucket('lab', '').write('everything', Buffer.alloc(4096));
  await createSecret('keys', labKeys);
  await createSecret('wrong-keys', { ...labKeys, secretAccessKey: 'wrong/secret' });
}, 5 * minutes);
afterAll(async () => {
  await lab?.close();
  await store?.remove();
  await full?.remove();
});

async function createSecret(name: string, keys: Keys): Promise<void> {
  await lab.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: keys });
}

type InS3 = { readonly endpoint?: string; readonly secretName?: string; readonly [field: string]: unknown };

function inS3(name: string, { endpoint = store.endpoint, secretName = 'keys', ...changes }: InS3 = {}) {
  const s3 = { bucket: 'lab', prefix: 'vision', endpoint, region: 'us-east-1', secretName };
  return study(name, { storage: { s3 }, ...changes });
}

describe('an Experiment whose artifacts are in S3', () => {
  // The second mostly waits: it does so while the first one trains.
  it.concurrent(
    'outlasts an outage of the store and the loss of a pod, and has everything in the bucket',
    async () => {
      await lab.apply(inS3('bucket'));
      const { metadata } = await lab.runThat('bucket', 'teacher', hasEpochs(2), 'have trained two epochs');
      const stopped = performance.now();
      await store.stop();
      const said = 'Checkpoints cannot be uploaded. It is tried again, training goes on.';
      await waitFor(
        'the trainer to say that the store is away',
        async () => (await lab.kubectl('logs', `job/${metadata.name}`)).includes(said) || undefined,
        minutes,
      );
      await store.start();
      console.log(`The store was away for ${((performance.now() - stopped) / 1000).toFixed(1)} s.`);

      const baseline = await lab.runThat('bucket', 'baseline', hasEpochs(3), 'have trained three epochs');
      const next = await lab.bereave(baseline.metadata.name);
      expect(next).toMatch(/Going on from epoch ([3-9]|10), step \d+\./);

      const { status } = await lab.ended('bucket');
      expect(status).toMatchObject({ phase: 'Complete', runs: { Succeeded: 3 } });
      for (const { metadata: run, status: now } of await lab.runsOf('bucket')) {
        const address = `s3://lab/vision/${lab.namespace}/bucket/${run.name}`;
        expect(now?.result?.artifacts).toBe(address);
        const file = (name: string) => join(store.file('', address.slice('s3://'.length)), name);
        expect(existsSync(file('checkpoints/best.safetensors'))).toBe(true);
        expect(existsSync(file('result.json'))).toBe(true);
        const lines = readFileSync(file('history.jsonl'), 'utf8').trim().split('\n');
        expect(lines.map((line) => JSON.parse(line).epoch)).toEqual(
          Array.from({ length: epochs }, (_, index) => index + 1),
        );
      }
    },
    15 * minutes,
  );

  it.concurrent(
    'says why it failed where the store is full, cannot be reached, or does not take the keys',
    async () => {
      const once = { retries: 0, distillation: [], pod: { gpus: 0 } };
      await lab.apply(inS3('stranger', { ...once, secretName: 'wrong-keys' }));
      await lab.apply(inS3('crowded', { ...once, endpoint: full.endpoint }));
      await lab.apply(inS3('nowhere', { ...once, endpoint: `http://${network.machine}:1` }));
      const messageOf = async (experiment: string, reason: string) => {
        const hasFailed = ({ status }: Run) => status?.phase === 'Failed';
        const { status } = await lab.runThat(experiment, 'teacher', hasFailed, 'fail');
        expect(status?.reason).toBe(reason);
        return status?.conditions?.find(({ type }) => type === 'Failed')?.message;
      };
      expect(await messageOf('stranger', 'StorageUnavailable')).toContain(
        'the secret key is not that of the access key. Correct secretAccessKey in the Secret that spec.storage.s3.secretName names.',
      );
      expect(await messageOf('crowded', 'StorageFull')).toContain(
        'Delete what is not needed there, or raise the quota.',
      );
      expect(await messageOf('nowhere', 'StorageUnavailable')).toContain(
        `cannot be reached to list s3://lab/vision/${lab.namespace}/nowhere`,
      );
    },
    15 * minutes,
  );

  it('waits where the Secret is not there, and says which', async () => {
    await lab.apply(inS3('keyless', { secretName: 'absent-keys', pod: { gpus: 0 } }));
    const run = await lab.runThat(
      'keyless',
      'teacher',
      ({ status }) => status?.reason === 'CreateContainerConfigError',
      'complain',
    );
    const messages = run.status?.conditions?.map(({ message }) => message).join('\n');
    expect(messages).toContain(`Secret absent-keys does not exist in namespace ${lab.namespace}. Create it`);
    await lab.kubectl('delete', 'dexp/keyless');
  });
});
