import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastWord } from '../../../operator/jobs/last-word.ts';

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
