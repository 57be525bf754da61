import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeExplanations } from '@destillml/trainer/explain/artifacts.ts';
import type { ExplainedBy } from '@destillml/trainer/explain/explain.ts';
import { encodeNpy } from '@destillml/trainer/explain/npy.ts';
import { explainedImage } from '@destillml/trainer/explain/subject.ts';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../training/run.ts';

/** What `numpy.save` writes, but for the order of spaces. */
function decodeNpy(bytes: Uint8Array): { header: string; values: number[] } {
  const buffer = Buffer.from(bytes);
  expect(buffer.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
  const start = 10 + buffer.readUInt16LE(8);
  expect(start % 64).toBe(0);
  const header = buffer.toString('latin1', 10, start);
  expect(header.endsWith('\n')).toBe(true);
  const values = Array.from({ length: (buffer.length - start) / 4 }, (_, i) =>
    buffer.readFloatLE(start + 4 * i),
  );
  return { header: header.trim(), values };
}

describe('encodeNpy', () => {
  it('writes NumPy’s format 1.0', () => {
    const { header, values } = decodeNpy(encodeNpy(Float32Array.of(1, -0.5, 3, 4, 5, 6), [2, 3]));
    expect(header).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }");
    expect(values).toEqual([1, -0.5, 3, 4, 5, 6]);
  });

  it.each([1, 9, 99, 9999, 99999, 999999999])('aligns the data whatever the header’s length: %i', (side) => {
    expect(decodeNpy(encodeNpy(new Float32Array(), [0, side])).values).toEqual([]);
  });
});

describe('writeExplanations', () => {
  const cells = Int32Array.of(0, 1, 2, 3);
  const images = [0, 1].map((index) => explainedImage(`image ${index}`, new Uint8Array(12).fill(90), index));
  const networks: ExplainedBy[] = ['teacher', 'small/soft targets'].map((network) => ({
    network,
    explanations: images.map((_, index) => ({
      prediction: index,
      confidence: 0.9,
      target: index,
      maps: {
        gradCam: { values: Float32Array.of(0, 0.5, 1, index), cells },
        lime: { values: Float32Array.of(-1, 0, 1, index), cells, r2: 0.5 + index / 10 },
      },
    })),
  }));

  const facts = {
    classes: ['cat', 'dog'],
    seconds: 2,
    sanity: {},
  };

  it('leaves a figure for each image, an array for each network and method, and the numbers', async () => {
    const folder = temporaryFolder();
    await writeExplanations(folder, images, networks, facts);

    expect(readdirSync(join(folder, 'figures'))).toEqual(['000.png', '001.png']);
    expect(readdirSync(join(folder, 'maps')).sort()).toEqual(['small%2Fsoft%20targets', 'teacher']);
    expect(readdirSync(join(folder, 'maps/teacher')).sort()).toEqual(['gradCam.npy', 'lime.npy']);
    const { header, values } = decodeNpy(readFileSync(join(folder, 'maps/teacher/lime.npy')));
    expect(header).toContain("'shape': (2, 2, 2,)");
    expect(values).toEqual([-1, 0, 1, 0, -1, 0, 1, 1]);

    const written = JSON.parse(readFileSync(join(folder, 'explanations.json'), 'utf8'));
    expect(written.images).toEqual([
      { name: 'image 0', label: 0 },
      { name: 'image 1', label: 1 },
    ]);
    expect(written.networks[1]).toMatchObject({
      name: 'small/soft targets',
      quality: { lime: { r2: { mean: 0.55 } } },
      explanations: [{ prediction: 0, maps: { gradCam: {}, lime: { r2: 0.5 } } }, { prediction: 1 }],
    });
  });

  it('keeps maps of networks apart whose names are alike, inside the folder whatever they are called', async () => {
    const folder = temporaryFolder();
    const [teacher] = networks;
    const called = ['quickstart/small', 'quickstart-small', '..', '.'];
    const alike = called.map((network) => ({ ...teacher!, network }));
    await writeExplanations(folder, images, alike, facts);

    const folders = ['%2E', '%2E%2E', 'quickstart%2Fsmall', 'quickstart-small'];
    expect(readdirSync(join(folder, 'maps')).sort()).toEqual(folders.sort());
    expect(readdirSync(folder).sort()).toEqual(['explanations.json', 'figures', 'maps']);
  });

  it('leaves nothing of an earlier call, but folders of others alone', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'figures'));
    writeFileSync(join(folder, 'figures/of-the-paper.png'), '');
    await writeExplanations(folder, images, networks, facts);
    expect(existsSync(join(folder, 'figures/of-the-paper.png'))).toBe(true);

    await writeExplanations(folder, images.slice(0, 1), networks.slice(0, 1), facts);
    expect(readdirSync(join(folder, 'figures'))).toEqual(['000.png']);
    expect(readdirSync(join(folder, 'maps'))).toEqual(['teacher']);
  });
});
