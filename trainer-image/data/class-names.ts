import { shown } from '@destillml/core/text/shown.ts';
import { corrupt } from './corrupt.ts';

/** Names in a note; the others are counted. */
const named = 5;

/**
 * The names of classes as everything from here on knows them, figures, reports and terminals: characters that cannot be
 * shown are escapes. Who imports the data set is told of those.
 *
 * @param given names of folders or lines of a file, by class
 * @param place that folder or file
 * @throws DestillError `DatasetCorrupt` where two classes would be called the same
 */
export function classNames(
  given: readonly string[],
  place: string,
): { readonly classes: readonly string[]; readonly notes: readonly string[] } {
  const classes = given.map(shown);
  const twice = classes.find((name, label) => classes.indexOf(name) !== label);
  if (twice !== undefined) throw corrupt(place, `two classes are shown as ${twice}`, 'Rename one of them.');
  const changed = classes.filter((name, label) => name !== given[label]);
  if (changed.length === 0) return { classes, notes: [] };
  const list = `${changed.slice(0, named).join(', ')}${changed.length > named ? ', …' : ''}`;
  return {
    classes,
    notes: [
      `${changed.length} class names have characters that cannot be shown, and are written with escapes: ${list}`,
    ],
  };
}
