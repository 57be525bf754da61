/** Runs in a thread of its own: a training step blocks the main one for longer than the operator waits for a request. */
import { parentPort, workerData } from 'node:worker_threads';
import { shownOutput } from '@destillml/core/text/shown-output.ts';
import { pino } from 'pino';
import { poster } from './post.ts';
import { Pusher } from './push.ts';
import type { PushMessage, PushWorkerData } from './push-thread.ts';

const { destination, logLevel, lastReport }: PushWorkerData = workerData;
const log = pino({ base: null, level: logLevel }, shownOutput(pino.destination({ dest: 2, sync: true })));
const pusher = new Pusher({
  post: poster(destination),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  warn: (message) => log.warn(message),
});

parentPort?.on('message', (message: PushMessage) => {
  if (message !== 'close') {
    pusher.add(message);
    return;
  }
  // Nothing is left to wait for then, and the thread ends.
  parentPort?.unref();
  void pusher.close(lastReport);
});
