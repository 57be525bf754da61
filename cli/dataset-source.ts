import { existsSync } from 'node:fs';
import { DestillError } from '@destillml/core/errors.ts';
import type { Command } from 'commander';
import { numeric } from './options.ts';

export type SourceOptions = {
  readonly source?: string;
  readonly sha256?: string;
  readonly imageSize?: number;
  readonly validation?: number;
};

/** Adds the options that say which files a data set is read from. */
export function withSourceOptions(command: Command): Command {
  return command
    .option('--source <path|url>', 'folder or address of its files (mnist, fashion-mnist: not needed)')
    .option('--sha256 <hex>', 'checksum of the file at the address')
    .option('--image-size <px>', 'side that images are resized to', numeric)
    .option('--validation <n>', 'images held out of the training split', numeric);
}

/** The fields of `spec.dataset` that the options set. */
export function sourceFields({ source, sha256, imageSize, validation }: SourceOptions) {
  return {
    ...(source === undefined ? {} : { source: sourceOf(source, sha256) }),
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(validation === undefined ? {} : { validation }),
  };
}

function sourceOf(source: string, sha256: string | undefined) {
  if (/^https?:\/\//.test(source)) {
    if (sha256 === undefined) {
      throw new DestillError('InvalidSpec', '--sha256: missing; the checksum of what --source downloads.');
    }
    return { http: { url: source, sha256 } };
  }
  if (!existsSync(source)) {
    throw new DestillError(
      'InvalidSpec',
      `--source: ${source} does not exist: a folder, or an address with https://.`,
    );
  }
  return { directory: { path: source } };
}
