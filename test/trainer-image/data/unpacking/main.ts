/** A process of its own that unpacks an archive, or reads data files, and says how much memory it took. */
import { extract } from '@destillml/trainer/data/extract.ts';
import { findFiles } from '@destillml/trainer/data/files.ts';

const [what, place = '', target = ''] = process.argv.slice(2);
const work = what === 'extract' ? extract(place, target, {}) : findFiles(place, { names: [target] });
const error: unknown = await work.then(
  () => undefined,
  ({ code, message }: { readonly code: string; readonly message: string }) => ({ code, message }),
);
process.stdout.write(JSON.stringify({ error, mebibytes: process.resourceUsage().maxRSS / 1024 }));
