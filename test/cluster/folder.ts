import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'destillml-cluster-';

/** What a control plane keeps: its data, its logs, its secrets. */
export class Folder {
  readonly path: string;

  /** Makes the folder, which only this user can read, unless it is there. */
  constructor(path: string) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    this.path = path;
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
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A folder that is removed with this process, if not before. */
export class TemporaryFolder extends Folder {
  readonly #atExit = () => super.remove();

  constructor() {
    super(mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`)));
    process.once('exit', this.#atExit);
  }

  override remove(): void {
    process.removeListener('exit', this.#atExit);
    super.remove();
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
