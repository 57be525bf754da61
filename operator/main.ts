#!/usr/bin/env node
const stop = whenToldToStop();
// Loading the rest takes most of a second, in which a pod may be told to stop already.
const { main } = await import('./program.ts');
process.exitCode = await main(stop);
// Nothing is left to do; a connection that is still open does not keep the process.
process.exit();

/** SIGTERM or Ctrl-C; the second one ends the process at once. */
function whenToldToStop(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort(new Error(`told to stop by ${signal}`));
    });
  }
  return stop.signal;
}
