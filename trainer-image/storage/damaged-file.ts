import { DestillError } from '@destillml/core/errors.ts';

/** A file that is not what was written: cut off, changed, or none of ours. */
export class DamagedFile extends DestillError {
  constructor(path: string, what: string, options?: ErrorOptions) {
    super('CheckpointUnusable', `${path} is damaged: ${what}.`, options);
  }
}
