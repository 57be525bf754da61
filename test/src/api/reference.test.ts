import { experimentSchema, runSchema } from '@destillml/core/api/crd.ts';
import { referencePage } from '@destillml/core/api/reference.ts';
import { describe, expect, it } from 'vitest';

const page = referencePage([
  { name: 'Experiment', schema: experimentSchema },
  { name: 'Run', schema: runSchema },
]);

describe('the reference page', () => {
  it('states type, default, limits and meaning of a field in one row', () => {
    expect(page).toContain(
      '| `learningRate` | number | `0.5` | a number above 0, at most 10 | Peak learning rate, reached after warm-up. |',
    );
  });

  it('states the rules of an object after its fields', () => {
    expect(page).toContain('Rules:\n\n- set exactly one of model, from\n');
  });

  it('links only to sections that it has, and describes equal objects once', () => {
    const anchors = [...page.matchAll(/<a id="([^"]+)">/g)].map((match) => match[1]);
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map((match) => match[1]);
    expect(new Set(anchors).size).toBe(anchors.length);
    expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
    expect(page.match(/\| `sha256` \|/g)).toHaveLength(1);
  });
});
