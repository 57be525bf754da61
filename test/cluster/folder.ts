import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'destillml-cluster-';

/** A temporary folder that is removed with this process, if not before. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  readonly #atExit = () => rmSync(this.path, { recursive: true, force: true });

  constructor() {
    process.once('exit', this.#atExit);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** @returns the path of the file, which only this user can read */
  write(name: string, text: string): string {
    writeFileSync(this.file(name), text, { mode: 0o600 });
    return this.file(name);
  }

  remove(): void {
    process.removeListener('exit', this.#atExit);
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Removes the folders of this user's processes that were killed before they could: over 100 MB each. */
export function removeAbandonedFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = name.match(`^${prefix}(\\d+)-`)?.[1];
    const path = join(tmpdir(), name);
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    if (statSync(path, { throwIfNoEntry: false })?.uid !== process.getuid?.()) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
