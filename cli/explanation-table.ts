import type { Spread } from '@destillml/core/plan/spread.ts';
import type { ExplainedBy } from '@destillml/trainer/explain/explain.ts';
import { agreementOf, qualityOf } from '@destillml/trainer/explain/quality.ts';
import type { MapName } from '@destillml/trainer/explain/subject.ts';

const methodNames: Readonly<Record<MapName, string>> = {
  gradCam: 'Grad-CAM',
  lime: 'LIME',
  expectedGradients: 'SHAP (gradients)',
  kernelShap: 'SHAP (kernel)',
};

const titles = ['', 'like the first', 'top 20 %', 'insertion', 'deletion'] as const;

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
      `  ${methodNames[name]}`,
      plusMinus(agreement[name]?.spearman),
      plusMinus(agreement[name]?.topOverlap),
      against(quality[name]?.insertion, quality[name]?.randomInsertion),
      against(quality[name]?.deletion, quality[name]?.randomDeletion),
    ]);
    return { name: network.network, rows };
  });
  const all = [titles, ...groups.flatMap(({ rows }) => rows)];
  const isUsed = titles.map((_, column) => column === 0 || all.slice(1).some((row) => row[column] !== ''));
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .filter((_, column) => isUsed[column])
      .join('  ')
      .trimEnd();
  const body = groups.flatMap(({ name, rows }) => [name, ...rows.map(line)]);
  return `${[line(titles), ...body].join('\n')}\n`;
}

function plusMinus(spread: Spread | undefined): string {
  if (spread === undefined) return '';
  const { mean, standardDeviation } = spread;
  const deviation = standardDeviation === undefined ? '' : ` ± ${standardDeviation.toFixed(2)}`;
  return `${mean.toFixed(2).replace('-', '−')}${deviation}`;
}

/** `0.53 (0.41)`: in parentheses that of random maps. */
function against(measured: Spread | undefined, random: Spread | undefined): string {
  if (measured === undefined) return '';
  return `${measured.mean.toFixed(2)}${random === undefined ? '' : ` (${random.mean.toFixed(2)})`}`;
}
