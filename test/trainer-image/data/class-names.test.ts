import { classNames } from '@destillml/trainer/data/class-names.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shown } from '../../../src/text/shown.ts';
import { forTerminals, hostileNames, plainNames } from '../../src/text/hostile.ts';

describe('classNames', () => {
  it('leaves names as they are, and says nothing', () => {
    expect(classNames(plainNames, 'folder')).toEqual({ classes: plainNames, notes: [] });
  });

  it('writes what cannot be shown with escapes, and says so', () => {
    expect(classNames(['cat', '\u001b[31mdog', 'gpj.\u202e'], 'folder')).toEqual({
      classes: ['cat', '\\u001b[31mdog', 'gpj.\\u202e'],
      notes: [
        '2 class names have characters that cannot be shown, and are written with escapes: \\u001b[31mdog, gpj.\\u202e',
      ],
    });
    expect(classNames(hostileNames, 'folder').notes[0]).toMatch(/^15 class names .*, …$/);
  });

  it('refuses two classes that would be called the same', () => {
    expect(() => classNames(['a\u202e', 'b', 'a\\u202e'], '/photos/train')).toThrow(
      '/photos/train: two classes are shown as a\\u202e. Rename one of them.',
    );
  });

  it('never gives a name that cannot be shown', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'binary' }), { selector: shown, maxLength: 8 });
    fc.assert(
      fc.property(names, (given) => {
        const { classes, notes } = classNames(given, 'folder');
        expect(classes).toHaveLength(given.length);
        expect([...classes, ...notes].flatMap(forTerminals)).toEqual([]);
      }),
    );
  });
});
