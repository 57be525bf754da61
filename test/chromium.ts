import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll } from 'vitest';

/** As scripts/chromium.sh looks for them. */
const names = ['chromium-headless-shell', 'chromium', 'google-chrome'];

/** A headless Chromium for the tests of a file, closed after them. */
export async function startChromium(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    // Chromium refuses to be started by root with its sandbox. It is shown only files that a test wrote.
    chromiumSandbox: process.getuid?.() !== 0,
  });
  afterAll(() => browser.close());
  return browser;
}

function chromiumPath(): string {
  const folders = (process.env.PATH ?? '').split(':');
  const path = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
  if (path !== undefined) return path;
  throw new Error(
    'Reports are looked at in Chromium, and none is on PATH. On Debian: sudo apt-get install --no-install-recommends chromium-headless-shell',
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
