import { setTimeout as pause } from 'node:timers/promises';

/**
 * What `probe` finds, once it finds something.
 *
 * @param what completes the sentence "timed out waiting for …"
 * @param probe asked again and again; `undefined` means not yet, an error ends the wait
 * @param within milliseconds
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  within = 30_000,
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`timed out after ${within} ms waiting for ${what}`);
    await pause(40);
  }
}
