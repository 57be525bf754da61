import { mapNames, mapTitles } from '@destillml/core/api/explain.ts';
import { columns } from '../grafana/columns.ts';
import { palette } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { barCell, gradedCell, hidden, Table, type TableOptions, wide } from '../grafana/table.ts';
import { byNetwork, network, ofNetworks } from '../networks.ts';

/** A network in each row and the maps of a method in each column, with one number of them. */
function byMap({
  metric,
  matchers = [],
  cell,
  ...panel
}: Pick<TableOptions, 'title' | 'description' | 'unit' | 'decimals'> & {
  readonly metric: string;
  readonly matchers?: readonly string[];
  readonly cell: Readonly<Record<string, unknown>>;
}) {
  const { overrides, ...asked } = columns(
    network,
    ofNetworks(metric, ...matchers),
    mapNames.map((map) => ({
      expr: `avg by (${byNetwork}) (${ofNetworks(metric, `map="${map}"`, ...matchers)})`,
      legend: mapTitles[map],
    })),
  );
  return new Table({
    ...panel,
    width: 12,
    height: 7,
    noValue: 'not explained',
    sortBy: { column: 'network', descending: false },
    ...asked,
    overrides: [
      ...overrides,
      { field: 'namespace', properties: hidden },
      { field: 'network', properties: wide(200) },
      ...mapNames.map((map) => ({ field: mapTitles[map], properties: cell })),
    ],
  });
}

/** From the opposite order to the same. */
const agreement = gradedCell([
  { from: -1, color: palette.vermilion },
  { from: 0, color: palette.orange },
  { from: 0.25, color: palette.yellow },
  { from: 0.5, color: palette.sky },
  { from: 0.75, color: palette.blue },
]);
/** Chance gives a fifth. */
const overlap = gradedCell([
  { from: 0, color: palette.vermilion },
  { from: 0.15, color: palette.orange },
  { from: 0.25, color: palette.yellow },
  { from: 0.4, color: palette.sky },
  { from: 0.6, color: palette.blue },
]);

export const looks = new Row({
  title: 'What do the networks look at?',
  panels: [
    byMap({
      title: 'Agreement with the teacher',
      description:
        'Rank correlation of the maps of a network with those of the teacher, mean over the images: 1 where both order all pixels alike, 0 where they have nothing to do with one another, −1 where the order is the opposite. A distilled student above its baseline has learned where to look too.',
      unit: 'short',
      decimals: 2,
      metric: 'destillml_explanation_agreement',
      matchers: ['role!="teacher"'],
      cell: agreement,
    }),
    byMap({
      title: 'Top 20% shared with the teacher',
      description:
        'Share of the fifth of the pixels that matter most to a network which is in that of the teacher, mean over the images. Chance gives 20%.',
      unit: 'percentunit',
      decimals: 0,
      metric: 'destillml_explanation_top_overlap_ratio',
      matchers: ['role!="teacher"'],
      cell: overlap,
    }),
    byMap({
      title: 'Insertion',
      description:
        'Probability that a network gives the class while the image is put together, the pixels first that its map says matter most: the longer the bar, the truer the map. Compare maps of one network: one that is less sure has lower numbers throughout.',
      unit: 'percentunit',
      decimals: 1,
      metric: 'destillml_explanation_insertion_ratio',
      cell: barCell(0, 1),
    }),
    byMap({
      title: 'Deletion',
      description:
        'Probability that a network gives the class while the image is taken apart, the pixels first that its map says matter most: the shorter the bar, the truer the map. Compare maps of one network: one that is less sure has lower numbers throughout.',
      unit: 'percentunit',
      decimals: 1,
      metric: 'destillml_explanation_deletion_ratio',
      cell: barCell(0, 1),
    }),
  ],
});
