import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Child } from './child.ts';
import { waitFor } from './wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'destillml-child-'));
const log = join(folder, 'log');
afterAll(() => rmSync(folder, { recursive: true }));

const shell = (script: string) => new Child('/bin/sh', ['-c', script], log);

describe('a server', () => {
  it('is there until it is stopped', async () => {
    const child = shell('exec sleep 600');
    child.check();
    await child.stop();
    expect(existsSync(`/proc/${child.pid}`)).toBe(false);
    expect(() => child.check()).toThrow('sh ended (SIGKILL)');
    await child.stop();
  });

  it('says what was last in its log once it has ended by itself', async () => {
    const child = shell('echo "port taken"; exit 3');
    await expect(waitFor('its end', () => child.check())).rejects.toThrow(
      'sh ended (3); last in its log:\nport taken',
    );
  });

  it('does not outlive a parent that is killed', async () => {
    const script = `
      import { Child } from ${JSON.stringify(join(import.meta.dirname, 'child.ts'))};
      console.log(new Child('/bin/sleep', ['600'], ${JSON.stringify(log)}).pid);
      setInterval(() => undefined, 1000);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    const [printed] = await once(parent.stdout, 'data');
    const pid = Number(printed);
    await waitFor('the server to run', () => commandOf(pid)?.startsWith('/bin/sleep') || undefined);
    parent.kill('SIGKILL');
    await waitFor('the server to end', () => commandOf(pid) === undefined || undefined);
  });
});

/** Command line of a process, if it is still there; an ended one that nobody waits for has an empty one. */
function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') || undefined;
  } catch {
    return undefined;
  }
}
