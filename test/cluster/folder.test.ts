import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeAbandonedFolders, TemporaryFolder } from './folder.ts';

/** Path of a folder that another process made, which then ended in the given way. */
function folderOfAnother(end: string): string {
  const script = `
    import { TemporaryFolder } from ${JSON.stringify(join(import.meta.dirname, 'folder.ts'))};
    process.stdout.write(new TemporaryFolder().path);
    ${end};
  `;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }).stdout;
}

describe('a temporary folder of a control plane', () => {
  it('holds its files until it is removed', () => {
    const folder = new TemporaryFolder();
    const file = folder.write('tokens.csv', 'secret');
    expect(readFileSync(file, 'utf8')).toBe('secret');
    folder.remove();
    expect(existsSync(folder.path)).toBe(false);
  });

  it('goes with its process, if not before', () => {
    const path = folderOfAnother('process.exit(1)');
    expect(path).toMatch(/destillml-cluster-\d+-/);
    expect(existsSync(path)).toBe(false);
  });

  it('goes with the next one, if its process was killed', () => {
    const mine = new TemporaryFolder();
    const path = folderOfAnother("process.kill(process.pid, 'SIGKILL')");
    expect(path).toMatch(/destillml-cluster-\d+-/);
    removeAbandonedFolders();
    expect(existsSync(path)).toBe(false);
    expect(existsSync(mine.path)).toBe(true);
    mine.remove();
  });
});
