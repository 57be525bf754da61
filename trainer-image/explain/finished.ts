import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { explanationFiles } from '@destillml/core/results/explanations.ts';

/** What an explanation writes last, in this order. */
export const finishedFiles = [explanationFiles.document, explanationFiles.report] as const;

/** Whether the explanation of a folder is there as a whole. */
export function isExplained(folder: string): boolean {
  return finishedFiles.every((name) => existsSync(join(folder, name)));
}
