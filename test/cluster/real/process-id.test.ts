import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { childrenOf, isAlive, kill, processId } from './process-id.ts';

describe('a process', () => {
  it('is alive until it ends, and found by what started it', async () => {
    const child = spawn('sleep', ['600']);
    const identity = processId(child.pid!)!;
    expect(isAlive(identity)).toBe(true);
    expect(childrenOf(process.pid)).toContain(child.pid);
    kill(identity);
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
    expect(processId(child.pid!)).toBeUndefined();
  });

  it('is not a later one with the same id', () => {
    const earlier = { pid: process.pid, started: 'long ago' };
    expect(isAlive(earlier)).toBe(false);
    kill(earlier);
    expect(isAlive(processId(process.pid)!)).toBe(true);
  });
});
