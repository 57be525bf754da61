import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockFolder } from '@destillml/trainer/artifacts/lock.ts';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../training/run.ts';

const locking = fileURLToPath(import.meta.resolve('@destillml/trainer/artifacts/lock.ts'));

/** A process that holds the lock of a folder until it is killed. */
async function holder(folder: string) {
  const code = `const { lockFolder } = await import(${JSON.stringify(locking)});
    const deps = { warn: (text) => console.log(text), signal: new AbortController().signal };
    const held = await lockFolder(${JSON.stringify(folder)}, deps, 0);
    console.log('held');
    setInterval(() => held, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  return {
    said: () => said,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function deps() {
  const warnings: string[] = [];
  const controller = new AbortController();
  return {
    warnings,
    controller,
    deps: { warn: (text: string) => warnings.push(text), signal: controller.signal },
  };
}

test('while a trainer works in a folder, a second one is refused; once it was killed, the next goes on at once', async () => {
  const folder = temporaryFolder();
  const first = await holder(folder);
  expect(first.said()).toBe('held\n');
  const { deps: second, warnings } = deps();
  await expect(lockFolder(folder, second, 0)).rejects.toMatchObject({
    code: 'StorageUnavailable',
    message: `${folder}/trainer.lock: another trainer works in this folder. Stop it, wait for it, or choose another folder.`,
  });
  expect(warnings).toEqual([
    `${folder}/trainer.lock: another trainer works in this folder. It is waited for.`,
  ]);
  await first.kill();
  const unlock = await lockFolder(folder, second, 0);
  expect(statSync(join(folder, 'trainer.lock')).size).toBe(0);
  // In the same process, too.
  await expect(lockFolder(folder, second, 0)).rejects.toThrow('another trainer works in this folder');
  unlock();
  (await lockFolder(folder, second, 0))();
});

test('it is waited for, and the wait ends with a signal', async () => {
  const folder = temporaryFolder();
  const first = await holder(folder);
  const { deps: second, warnings, controller } = deps();
  const waiting = lockFolder(folder, second);
  await expect.poll(() => warnings).toHaveLength(1);
  await first.kill();
  const unlock = await waiting;
  const { deps: third } = deps();
  const stopped = lockFolder(folder, { ...third, signal: controller.signal });
  controller.abort();
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  unlock();
});

test('a lock that another program left behind, or a folder that is not there yet, keep nobody out', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'trainer.lock'), '');
  const { deps: given, warnings } = deps();
  (await lockFolder(folder, given, 0))();
  (await lockFolder(join(folder, 'new/run'), given, 0))();
  expect(warnings).toEqual([]);
});

test('where nothing can be locked, that is said, and it goes on', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'trainer.lock'));
  const { deps: given, warnings } = deps();
  (await lockFolder(folder, given, 0))();
  expect(warnings).toEqual([
    expect.stringMatching(
      /trainer\.lock cannot be locked: nothing keeps a second trainer out of this folder\. Error: unable to open database file$/,
    ),
  ]);
});
