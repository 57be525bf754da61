#!/usr/bin/env node
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
// The one who started this process is gone: nobody would see the end.
process.on('disconnect', () => stop.abort());
// Loading the rest takes a second, in which a pod may be told to stop already.
const { main } = await import('./program.ts');
process.exitCode = await main(stop.signal);
// An IPC channel would keep the process alive.
if (process.connected) process.disconnect();
