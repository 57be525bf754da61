import { batches, stepsPerEpoch } from '@destillml/trainer/data/batches.ts';
import { type ImageSet, inMemory } from '@destillml/trainer/data/dataset.ts';
import { describe, expect, it } from 'vitest';

/** Image i is filled with i; its label is i % 3. */
function numbered(count: number): ImageSet {
  const images = Uint8Array.from({ length: count * 12 }, (_, i) => Math.floor(i / 12));
  return inMemory(
    images,
    2,
    Int32Array.from({ length: count }, (_, i) => i % 3),
    ['a', 'b', 'c'],
  );
}

async function collect(options: Parameters<typeof batches>[0]) {
  const found = [];
  for await (const batch of batches(options)) found.push(batch);
  return found;
}

const indices = Uint32Array.from({ length: 25 }, (_, i) => i * 2);
const shuffle = { seed: 7, epoch: 3 };

describe('batches', () => {
  it('keeps the last, smaller batch and the order of the indices', async () => {
    const found = await collect({ set: numbered(50), indices, batchSize: 10 });
    expect(found.map(({ step, indices: some }) => [step, some.length])).toEqual([
      [0, 10],
      [1, 10],
      [2, 5],
    ]);
    expect(found.flatMap((batch) => [...batch.indices])).toEqual([...indices]);
    expect(stepsPerEpoch(25, 10)).toBe(3);
  });

  it('gives each image with its label and its index', async () => {
    for (const batch of await collect({ set: numbered(50), indices, batchSize: 4, shuffle })) {
      expect([...batch.labels]).toEqual([...batch.indices].map((index) => index % 3));
      expect([...batch.images]).toEqual([...batch.indices].flatMap((index) => Array(12).fill(index)));
    }
  });

  it('shuffles by seed and epoch, whatever the batch size', async () => {
    const order = async (batchSize: number, epoch: number) =>
      (await collect({ set: numbered(50), indices, batchSize, shuffle: { seed: 7, epoch } })).flatMap(
        (batch) => [...batch.indices],
      );
    const first = await order(10, 0);
    expect(first).not.toEqual([...indices]);
    expect([...first].sort((a, b) => a - b)).toEqual([...indices]);
    expect(await order(3, 0)).toEqual(first);
    expect(await order(10, 1)).not.toEqual(first);
  });

  it('goes on within an epoch as if it had not stopped', async () => {
    const all = await collect({ set: numbered(50), indices, batchSize: 4, shuffle });
    expect(await collect({ set: numbered(50), indices, batchSize: 4, shuffle, startStep: 3 })).toEqual(
      all.slice(3),
    );
  });

  it('reads no further ahead than it may', async () => {
    const { set, started } = counting(numbered(50));
    const iterator = batches({ set, indices, batchSize: 5, lookAhead: 2 });
    expect(started()).toBe(0);
    await iterator.next();
    expect(started()).toBe(3);
    await iterator.next();
    expect(started()).toBe(4);
    await iterator.return();
    expect(started()).toBe(4);
  });

  it('waits for what is being read before it ends', async () => {
    let finished = 0;
    const set: ImageSet = {
      ...numbered(50),
      read: async () => {
        await new Promise(setImmediate);
        finished++;
      },
    };
    const iterator = batches({ set, indices, batchSize: 5, lookAhead: 3 });
    await iterator.next();
    await iterator.return();
    expect(finished).toBe(4);
  });

  it('stops with the reason of the signal', async () => {
    const controller = new AbortController();
    const iterator = batches({ set: numbered(50), indices, batchSize: 5, signal: controller.signal });
    await iterator.next();
    controller.abort(new Error('preempted'));
    await expect(iterator.next()).rejects.toThrow('preempted');
  });

  it('reports an image that cannot be read at its own batch, not before', async () => {
    const set: ImageSet = {
      ...numbered(50),
      read: async (some) => {
        if (Array.from(some).includes(20)) throw new Error('image 20 is broken');
      },
    };
    const iterator = batches({ set, indices, batchSize: 5, lookAhead: 5 });
    await iterator.next();
    await iterator.next();
    await expect(iterator.next()).rejects.toThrow('image 20 is broken');
  });
});

function counting(set: ImageSet) {
  let count = 0;
  const read: ImageSet['read'] = (some, target) => {
    count++;
    return set.read(some, target);
  };
  return { set: { ...set, read }, started: () => count };
}
