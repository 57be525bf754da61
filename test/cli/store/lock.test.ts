import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeLock } from '../../../cli/store/lock.ts';
import { identityOf, isAlive } from '../../../cli/store/process-identity.ts';
import { temporaryFolder } from '../temporary.ts';

test('a folder is locked until the lock is given back', () => {
  const folder = join(temporaryFolder(), 'new', 'folder');
  const giveBack = takeLock(folder);
  expect(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'))).toEqual(identityOf(process.pid));
  expect(() => takeLock(folder)).toThrow(`process ${process.pid} works in this folder. Wait for it, stop it`);
  giveBack();
  expect(readdirSync(folder)).toEqual([]);
  takeLock(folder)();
});

test.each([
  ['a process that is gone', JSON.stringify({ pid: 4_000_000 })],
  ['an earlier process with the same number', JSON.stringify({ pid: process.pid, startTicks: 1 })],
  ['nobody', 'not JSON'],
  ['nothing', ''],
])('the lock of %s is taken over', (_whose, content) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'lock'), content);
  const giveBack = takeLock(folder);
  expect(readdirSync(folder)).toEqual(['lock']);
  expect(() => takeLock(folder)).toThrow('works in this folder');
  giveBack();
  expect(existsSync(join(folder, 'lock'))).toBe(false);
});

test('a process is told apart from an earlier one with its number', () => {
  const own = identityOf(process.pid);
  expect(isAlive(own)).toBe(true);
  expect(isAlive({ pid: own.pid, startTicks: (own.startTicks ?? 0) + 1 })).toBe(own.startTicks === undefined);
});
