import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Surroundings } from './surroundings.ts';

/** Folder of everything that was trained on this machine. */
export const defaultRoot = 'destill-runs';
const defaultData = 'destill-data';

/** For an option that takes a number; which numbers are allowed the spec's schema says. */
export function numeric(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

/** For an option that takes a whole number from 1 on. */
export function positiveInteger(text: string): number {
  const value = numeric(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('A whole number from 1 on is expected.');
  }
  return value;
}

export function dataOption(): Option {
  return new Option('--data <dir>', `folder that data sets are kept in (default: "${defaultData}")`).env(
    'DESTILL_DATA',
  );
}

export function rootOption(): Option {
  return new Option('--runs <dir>', 'folder of everything trained on this machine').default(defaultRoot);
}

export function plainOption(): Option {
  return new Option('--plain', 'plain lines instead of bars');
}

export function eagerOption(): Option {
  return new Option(
    '--eager',
    'compute operation by operation instead of as one graph: slower, for debugging',
  );
}

/** The data folder, as an absolute path. */
export function dataFolder(given: string | undefined): string {
  return resolve(given ?? defaultData);
}

/** Columns of the terminal, for tables. */
export function tableWidth({ stdout }: Pick<Surroundings, 'stdout'>): number {
  return stdout.columns ?? 80;
}

/** Adds examples below a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
