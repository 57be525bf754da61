import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Space, Values } from '../../../src/search/space.ts';
import type { Trial } from '../../../src/search/trial.ts';

/** Optuna in a process of its own (peer.py), asked for one thing at a time. */
export type Optuna = {
  readonly version: () => Promise<string>;
  /** Begins a study; the one before is forgotten. `rungs`: successive halving from that epoch, by that factor. */
  readonly open: (study: {
    readonly seed: number;
    readonly space: Space;
    readonly rungs?: readonly [minEpochs: number, eta: number];
  }) => Promise<void>;
  readonly ask: () => Promise<{ readonly number: number; readonly values: Values }>;
  /** Whether the trial is to be ended. */
  readonly report: (number: number, epoch: number, value: number) => Promise<boolean>;
  readonly tell: (number: number, value: number) => Promise<void>;
  readonly prune: (number: number) => Promise<void>;
  /** Milliseconds of each of some suggestions after these trials. */
  readonly time: (trials: readonly Trial[], count: number) => Promise<readonly number[]>;
  readonly stop: () => void;
};

export function startOptuna(): Optuna {
  const root = join(import.meta.dirname, '../../..');
  const child = spawn(join(root, '.tools/peers-search/bin/python'), [join(import.meta.dirname, 'peer.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async <Answer>(...question: readonly unknown[]): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('Optuna ended: it says why above');
    return JSON.parse(value);
  };
  return {
    version: () => ask('version'),
    open: ({ space, ...options }) => ask('open', { ...options, space: parentsFirst(space) }),
    ask: () => ask('ask'),
    report: (number, epoch, value) => ask('report', number, epoch, value),
    tell: (number, value) => ask('tell', number, value),
    prune: (number) => ask('prune', number),
    time: (trials, count) => ask('time', trials, count),
    stop: () => child.stdin.end(),
  };
}

function parentsFirst(space: Space): Space {
  return [
    ...space.filter(({ when }) => when === undefined),
    ...space.filter(({ when }) => when !== undefined),
  ];
}
