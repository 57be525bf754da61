#!/usr/bin/env node
import { setTimeout } from 'node:timers';
import { shownOutput } from '@destillml/core/text/shown-output.ts';
import { wrap } from '@destillml/core/text/wrap.ts';
import { endingOf } from './exit.ts';
import { createProgram } from './program.ts';
import { processTrainer } from './running/trainer.ts';
import type { Surroundings } from './surroundings.ts';

const surroundings: Surroundings = {
  stdout: process.stdout,
  stderr: process.stderr,
  terminal: process.stderr,
  env: process.env,
  now: () => new Date(),
  trainer: processTrainer(process.env),
  onInterrupt: (listener) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, listener);
    return () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, listener);
    };
  },
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

// The reader of a pipe is free to stop: `destill versions | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await createProgram(surroundings).parseAsync(process.argv);
} catch (error) {
  const { exitCode, message } = endingOf(error);
  if (message !== undefined) shownOutput(process.stderr).write(`${wrap(message)}\n`);
  process.exitCode = exitCode;
}
