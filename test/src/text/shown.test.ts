import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut } from '../../../src/text/cut.ts';
import { labelValue } from '../../../src/text/label-value.ts';
import { shown, shownLines } from '../../../src/text/shown.ts';
import { shownOutput } from '../../../src/text/shown-output.ts';
import { forTerminals, hostileNames, plainNames } from './hostile.ts';

/** Every UTF-16 text, halves of surrogates too. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 0x2f }).map((n) => 0x2000 + n),
    ),
  )
  .map((units) => String.fromCharCode(...units));

describe('shown', () => {
  it.each([
    ['\u001b[31mred\u0007', '\\u001b[31mred\\u0007'],
    ['\u009b2J', '\\u009b2J'],
    ['gpj.\u202etac', 'gpj.\\u202etac'],
    ['a\nb\tc\u0000', 'a\\u000ab\\u0009c\\u0000'],
    ['\ufffe\uffff', '\\ufffe\\uffff'],
    ['\ud83dx\ude00', '\\ud83dx\\ude00'],
    ['\u{e0041}', '\\udb40\\udc41'],
    ['zero\u200bwidth', 'zero\\u200bwidth'],
  ])('writes what cannot be seen as JSON does: %j', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  it.each(plainNames)('leaves %s as it is', (name) => {
    expect(shown(name)).toBe(name);
    expect(shownLines(`${name}\n\t${name}`)).toBe(`${name}\n\t${name}`);
  });

  it('sends no terminal anything but text, of whatever text', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.constantFrom(...hostileNames)), (text) => {
        expect(shown(text)).not.toMatch(/[\n\t]/);
        expect(forTerminals(shown(text))).toEqual([]);
        expect(forTerminals(shownLines(text))).toEqual([]);
        expect(shown(text).isWellFormed()).toBe(true);
        // Shown again, as at the rim of a program, it is the same.
        expect(shown(shown(text))).toBe(shown(text));
        expect(shown(shownLines(text))).toBe(shown(text));
      }),
    );
  });

  it('says of a line of JSON what it said before', () => {
    fc.assert(
      fc.property(fc.record({ msg: anyText, n: fc.integer() }), (line) => {
        let written = '';
        shownOutput({ write: (text) => (written += text) }).write(`${JSON.stringify(line)}\n`);
        expect(forTerminals(written)).toEqual([]);
        expect(JSON.parse(written)).toEqual(line);
      }),
    );
  });
});

describe('cut', () => {
  it('keeps what fits, and cuts between characters', () => {
    expect(cut('abc', 3)).toBe('abc');
    expect(cut('abcd', 3)).toBe('ab…');
    expect(cut('🐈🐕🐁', 3)).toBe('🐈🐕🐁');
    expect(cut('🐈🐕🐁', 2)).toBe('🐈…');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 12 }), (text, most) => {
        expect(cut(text, most).isWellFormed()).toBe(true);
        expect([...cut(text, most)].length).toBeLessThanOrEqual(Math.max(1, most));
      }),
    );
  });
});

describe('labelValue', () => {
  it('is one that Prometheus reads as what people are shown', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const value = labelValue(text);
        expect(value).toMatch(/^(?:[^"\\\n]|\\["\\n])*$/);
        expect(value.replaceAll(/\\(["\\])/g, '$1')).toBe(shown(text));
      }),
    );
  });
});
