import { type MapName, mapTitles } from '@destillml/core/api/explain.ts';
import type { Spread } from '@destillml/core/plan/spread.ts';
import { formatAgainst, formatSpread } from '@destillml/core/results/format.ts';
import type { ExplainedBy } from '@destillml/trainer/explain/explain.ts';
import { agreementOf, qualityOf } from '@destillml/trainer/explain/quality.ts';
import { groupedTable } from './columns.ts';

const titles = ['', 'like the first', 'top 20 %', 'insertion', 'deletion'] as const;
const aligned = ['start', 'end', 'end', 'end', 'end'] as const;

/**
 * Under the name of each network a line for each method: how alike its maps are to those of the first network, and how
 * far the probability rises and falls as an image is put together and taken apart in the order of its map.
 */
export function explanationTable(networks: readonly ExplainedBy[]): string {
  const [first] = networks;
  if (first === undefined) return '';
  const groups = networks.map((network) => {
    const agreement = network === first ? {} : agreementOf(first, network);
    const quality = qualityOf(network);
    const rows = (Object.keys(quality) as MapName[]).map((name) => [
      `  ${mapTitles[name]}`,
      plusMinus(agreement[name]?.spearman),
      plusMinus(agreement[name]?.topOverlap),
      against(quality[name]?.insertion, quality[name]?.randomInsertion),
      against(quality[name]?.deletion, quality[name]?.randomDeletion),
    ]);
    return { title: network.network, rows };
  });
  return groupedTable(titles, groups, aligned);
}

function plusMinus(spread: Spread | undefined): string {
  return spread === undefined ? '' : formatSpread(spread);
}

function against(measured: Spread | undefined, random: Spread | undefined): string {
  return measured === undefined ? '' : formatAgainst(measured, random);
}
