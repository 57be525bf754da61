#!/usr/bin/env node
// Not imported: nothing is loaded before signals are caught.
const { closeSync, openSync, writeFileSync } = process.getBuiltinModule('node:fs');
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
// The one who started this process is gone: nobody would see the end.
process.on('disconnect', () => stop.abort());
// Where no file more may be opened, there is one to be had for the last word.
const spare = openSync('/dev/null', 'r');
// Loading the rest takes a second, in which a pod may be told to stop already.
try {
  const { main } = await import('./program.ts');
  process.exitCode = await main(stop.signal);
} catch (error) {
  // Of the program nothing is there: as where too few files may be open, or some are missing.
  const message = `The trainer could not be loaded: ${error}. Raise "ulimit -n", or install it anew.`;
  process.stderr.write(`${message}\n`);
  const path = process.env.DESTILL_TERMINATION_LOG;
  const last = { outcome: 'failed', code: 'Environment', message: message.slice(0, 500) };
  closeSync(spare);
  if (path !== undefined) writeFileSync(path, JSON.stringify(last));
  process.exitCode = 69;
}
// An IPC channel would keep the process alive.
if (process.connected) process.disconnect();
