/** Runs in a thread of its own; upload-thread.ts says why. */
import { closeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Bucket } from './bucket.ts';
import { type UploadDeps, UploadQueue } from './upload-queue.ts';
import type { UploadEvent, UploadMessage, UploadWorkerData } from './upload-thread.ts';

const { place, patience, stored }: UploadWorkerData = workerData;
const bucket = new Bucket(place);
const tell = (event: UploadEvent) => parentPort?.postMessage(event);
const deps: UploadDeps = {
  patience,
  write: (file, signal) => bucket.write(file.name, file, signal),
  copy: (from, { name }, signal) => bucket.copy(from, name, signal),
  release: ({ fd }) => closeSync(fd),
  wait: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
  now: () => performance.now(),
  failing: (reason) => tell({ kind: 'failing', reason }),
  mended: () => tell({ kind: 'mended' }),
  lost: (reason, code) => tell({ kind: 'lost', reason, code }),
};
const queue = new UploadQueue(deps, stored);

parentPort?.on('message', (message: UploadMessage) => {
  switch (message.kind) {
    case 'files':
      queue.add(message.files);
      return;
    case 'stop':
      queue.stop();
      return;
    case 'finish':
      void end();
  }
});

async function end(): Promise<void> {
  if (await queue.finish()) tell({ kind: 'finished' });
  bucket.close();
  // Nothing is left to wait for then, and the thread ends.
  parentPort?.close();
}
