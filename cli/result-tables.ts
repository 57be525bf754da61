import type { Results } from '@destillml/core/results/document.ts';
import { formatTable } from '@destillml/core/results/table.ts';
import { agreementTable } from './agreement-table.ts';
import { tableWidth } from './options.ts';
import type { Surroundings } from './surroundings.ts';

/** What people read of an Experiment: the accuracies, and what the networks look at where that was asked. */
export function resultTables(document: Results, surroundings: Surroundings): string {
  return formatTable(document, { width: tableWidth(surroundings) }) + agreementTable(document);
}
