import { evidenceMap, heatMap } from '@destillml/trainer/explain/colours.ts';
import type { ExplainedBy, Explanation } from '@destillml/trainer/explain/explain.ts';
import { figure } from '@destillml/trainer/explain/figure.ts';
import { explainedImage } from '@destillml/trainer/explain/subject.ts';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { shown } from '../../../src/text/shown.ts';
import { hostileNames } from '../../src/text/hostile.ts';

const size = 4;
const image = explainedImage('tile', new Uint8Array(3 * size * size).fill(50), 1);
const cells = Int32Array.from({ length: size * size }, (_, pixel) => pixel);
const half = Float32Array.from(cells, (pixel) => (pixel < 8 ? 1 : -1));

function explanation(changes: Partial<Explanation> = {}): Explanation {
  return {
    prediction: 1,
    confidence: 0.75,
    target: 1,
    maps: {
      gradCam: { values: half.map((value) => Math.max(0, value)), cells },
      lime: { values: half, cells },
    },
    ...changes,
  };
}

async function decoded(networks: readonly ExplainedBy[]) {
  const png = await figure(image, 0, networks, ['cat', 'dog']);
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => {
    const start = (y * info.width + x) * 3;
    return [...data.subarray(start, start + 3)];
  };
  return { ...info, at, data };
}

describe('figure', () => {
  const row = (network: string, changes?: Partial<Explanation>): ExplainedBy => ({
    network,
    explanations: [explanation(changes)],
  });

  it('has a row for each network, and the image and a map for each method in it', async () => {
    const one = await decoded([row('one')]);
    const two = await decoded([row('one'), row('two')]);
    // A tile of 4 px is shown as 160 px, 8 px from the next.
    expect([one.width, two.width]).toEqual([16 + 216 + 3 * 168 - 8 + 16, one.width]);
    expect(two.height - one.height).toBe(168);
    expect(one.channels).toBe(3);
    for (const y of [100, 100 + 168]) {
      expect(two.at(232 + 80, y)).toEqual([50, 50, 50]);
      const [red = 0, , blue = 0] = two.at(232 + 2 * 168 + 80, y);
      expect(red).toBeGreaterThan(blue + 80);
      const [redBelow = 0, , blueBelow = 0] = two.at(232 + 2 * 168 + 80, y + 100);
      expect(blueBelow).toBeGreaterThan(redBelow + 80);
    }
    expect(one.at(232 + 164, 100)).toEqual([255, 255, 255]);
  });

  it('writes what each network predicts, and which class it explains where it is another', async () => {
    const changed = async (changes: Partial<Explanation>) => {
      const [before, after] = [await decoded([row('one')]), await decoded([row('one', changes)])];
      // Lines of the caption that differ, by the distance of their baseline from the row's middle.
      const lines = [-16, 4, 22, 40].filter((line) => {
        const differs = (x: number, y: number) => String(before.at(x, y)) !== String(after.at(x, y));
        const y = 16 + 60 + 80 + line;
        return Array.from({ length: 200 * 12 }, (_, i) =>
          differs(16 + (i % 200), y - Math.floor(i / 200)),
        ).some(Boolean);
      });
      return lines;
    };
    expect(await changed({ confidence: 0.5 })).toEqual([22]);
    expect(await changed({ prediction: 0, target: 0 })).toEqual([4]);
    expect(await changed({ target: 0 })).toEqual([40]);
  });

  it('takes names as they are, however long', async () => {
    const long = await decoded([row(`<b>&"${'x'.repeat(300)}`)]);
    expect(long.width).toBe((await decoded([row('one')])).width);
  });

  it.each(hostileNames.map((name) => [shown(name), name]))(
    'is drawn whatever images, networks and classes are called: %s',
    async (_, name = '') => {
      // Long enough to be cut, wherever that falls.
      const names = [name, `${'🐈'.repeat(11)}${name}`, `${name}${'🐈'.repeat(300)}`];
      for (const each of names) {
        const named = explainedImage(each, image.pixels, 1);
        const png = await figure(named, 0, [row(each)], [each, each]);
        expect((await sharp(png).metadata()).width).toBe((await decoded([row('one')])).width);
      }
    },
  );

  it('leaves a place empty where a network has no map of a method', async () => {
    const only = { network: 'two', explanations: [explanation({ maps: { lime: { values: half, cells } } })] };
    const shown = await decoded([row('one'), only]);
    expect(shown.at(232 + 168 + 80, 100 + 168)).toEqual([255, 255, 255]);
    expect(shown.at(232 + 2 * 168 + 80, 100 + 168)).not.toEqual([255, 255, 255]);
  });
});

describe('colours', () => {
  const black = new Uint8Array(6);

  it('of heat rise in brightness with the value; on black only from a quarter on', () => {
    const brightness = [0, 0.25, 0.5, 0.75, 1].map((value) => {
      const [r = 0, g = 0, b = 0] = heatMap(black, Float32Array.of(value, 0));
      return 0.3 * r + 0.6 * g + 0.1 * b;
    });
    const [nothing, quarter, half, most, whole] = brightness as [number, number, number, number, number];
    expect(quarter).toBeCloseTo(nothing, 0);
    expect(half).toBeGreaterThan(quarter + 10);
    expect(most).toBeGreaterThan(half + 30);
    expect(whole).toBeGreaterThan(most + 50);
  });

  it('of evidence do not depend on its unit', () => {
    const map = Float32Array.of(0.5, -0.2);
    expect(
      evidenceMap(
        black,
        map.map((value) => 1000 * value),
      ),
    ).toEqual(evidenceMap(black, map));
  });

  it('of no evidence at all are the image in grey', () => {
    const [r, g, b] = evidenceMap(black, new Float32Array(2));
    expect([r, g]).toEqual([g, b]);
  });
});
