import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastWord } from '../../../operator/jobs/last-word.ts';
import { result } from './world.ts';

describe('the last word of a trainer', () => {
  it('is read', () => {
    const word = { outcome: 'preempted', epoch: 4, step: 12 };
    expect(lastWord(JSON.stringify(word))).toEqual({ word });
  });

  it('of only white space is missing', () => {
    expect(lastWord(' \n')).toEqual({ unreadable: 'is missing' });
  });

  it('with a field too many is refused by its name', () => {
    expect(lastWord('{"outcome":"preempted","epoch":4,"step":1,"mood":"sad"}')).toEqual({
      unreadable: 'is not one of a trainer (Unrecognized key: "mood")',
    });
  });

  const words = (changes: object) =>
    JSON.stringify({ outcome: 'succeeded', result: { ...result, ...changes } });
  it.each([
    ['bestEpoch', { bestEpoch: 241 }],
    ['testAccuracy', { testAccuracy: 7 }],
    ['testLoss', { testLoss: -1 }],
    ['validationAccuracy', { validationAccuracy: null }],
    ['imagesPerSecond', { imagesPerSecond: -1 }],
  ])('with an impossible %s is refused by its name', (field, changes) => {
    expect(lastWord(words({}))).toMatchObject({ word: { result } });
    expect(lastWord(words(changes))).toEqual({
      unreadable: expect.stringMatching(new RegExp(`^is not one of a trainer \\(result\\.${field}: `)),
    });
  });

  it.each([
    ['agreement', -1.5],
    ['topOverlap', 2],
    ['insertion', -0.1],
    ['deletion', 1.1],
  ])('of an explanation with an impossible %s is refused by its name', (field, value) => {
    const map = { map: 'lime', agreement: [1], topOverlap: [1], insertion: [0.5], deletion: [0.5] };
    const said = (maps: object) =>
      lastWord(
        JSON.stringify({
          outcome: 'explained',
          explanation: { images: 1, seconds: 1, maps: [maps], artifacts: '/a' },
        }),
      );
    expect(said(map)).toHaveProperty('word');
    expect(said({ ...map, [field]: [value] })).toEqual({
      unreadable: expect.stringContaining(`explanation.maps.0.${field}.0: `),
    });
  });

  it('may be anything at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (message) => {
        expect(lastWord(message)).toEqual({ unreadable: expect.any(String) });
      }),
    );
  });

  it('is shown to people whatever it holds, where it is read and where it is not', () => {
    const hostile = '\u001b[2J\u009bx\u202e';
    const failed = { outcome: 'failed', code: 'DatasetCorrupt', message: `${hostile}\nmore` };
    expect(lastWord(JSON.stringify(failed))).toEqual({
      word: { ...failed, message: '\\u001b[2J\\u009bx\\u202e\nmore' },
    });
    expect(lastWord(JSON.stringify({ outcome: 'preempted', epoch: 4, step: 1, [hostile]: 1 }))).toEqual({
      unreadable: 'is not one of a trainer (Unrecognized key: "\\u001b[2J\\u009bx\\u202e")',
    });
  });
});
