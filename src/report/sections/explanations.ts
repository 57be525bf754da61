import { mapTitles } from '../../api/explain.ts';
import type { Spread } from '../../plan/spread.ts';
import type { ExplainedNetwork, Explanations } from '../../results/explanations.ts';
import { formatAgainst, formatSpread } from '../../results/format.ts';
import { type Html, html } from '../html.ts';
import type { ReportExplanations } from '../input.ts';
import { type Column, table } from '../table.ts';
import { shown } from './results.ts';

const titles: Readonly<Record<string, string>> = mapTitles;

interface Line {
  readonly network: ExplainedNetwork;
  readonly method: string;
}

/** What the networks look at: how alike their maps are, then the pictures. */
export function explanationsSection(given: ReportExplanations, experiment: string): Html | undefined {
  const { document, figures } = { ...given, document: withShortNames(given.document, experiment) };
  const [first, ...others] = document.networks;
  if (first === undefined) return undefined;
  const agreements = linesOf(others, ({ agreement }) => Object.keys(agreement));
  const measured = linesOf(document.networks, ({ quality }) =>
    Object.keys(quality).filter((name) => quality[name]?.insertion !== undefined),
  );
  return html`<section aria-labelledby="explanations">
<h2 id="explanations">What the networks look at</h2>
${
  agreements.length > 0
    ? html`${table(`Agreement with ${first.name}, mean ± standard deviation over ${document.images.length} images`, agreementColumns, agreements)}
<p class="note">Rank correlation: 1 where two maps order all pixels alike, 0 where they have nothing to do with one another. Top
20 %: the share of the most important pixels that are so to both; chance gives 20 %.</p>`
    : undefined
}
${
  measured.length > 0
    ? html`${table('Faithfulness of the maps', faithfulnessColumns, measured)}
<p class="note">Mean probability while the image is put together (insertion: higher is better) and taken apart (deletion: lower is
better) in the order of the map; in parentheses that of random maps.</p>`
    : undefined
}
${sanityNote(document.sanity, first.name)}
${missingNote(figures)}
<div class="explained">${document.images.map((_, index) => explainedImage(document, figures[index], index))}</div>
</section>
`;
}

/** Maps that do not change with the weights show the image, not what a network has learned. */
function sanityNote(sanity: Explanations['sanity'], first: string): Html | undefined {
  const checks = Object.entries(sanity).map(([method, { spearman, passes }]) => {
    const verdict = passes ? '' : ': too alike, so do not trust these maps';
    return `${titles[method] ?? method} ${formatSpread(spearman)}${verdict}`;
  });
  if (checks.length === 0) return undefined;
  return html`<p class="note">Sanity check (Adebayo et al. 2018): rank correlation of the maps of ${first} with those of the same network with
random weights, which should be far from 1. ${checks.join('; ')}.</p>`;
}

function missingNote(figures: ReportExplanations['figures']): Html | undefined {
  const missing = figures.filter((figure) => figure === undefined).length;
  return missing === 0
    ? undefined
    : html`<p class="note">Not on this page ${missing === 1 ? 'is the figure of 1 image' : `are the figures of ${missing} images`}: see the folder figures of the explanation.</p>`;
}

/** Networks of this Experiment, which "destill explain" knows as EXPERIMENT/NETWORK, by the latter. */
function withShortNames(document: Explanations, experiment: string): Explanations {
  const prefix = `${experiment}/`;
  const networks = document.networks.map((network) =>
    network.name.startsWith(prefix) ? { ...network, name: network.name.slice(prefix.length) } : network,
  );
  return { ...document, networks };
}

const nameColumns: readonly Column<Line>[] = [
  { title: 'Network', cell: ({ network }) => network.name },
  { title: 'Method', cell: ({ method }) => titles[method] ?? method },
];

const agreementColumns: readonly Column<Line>[] = [
  ...nameColumns,
  {
    title: 'Rank correlation',
    align: 'right',
    cell: ({ network, method }) => shown(network.agreement[method]?.spearman, formatSpread),
  },
  {
    title: 'Top 20 % shared',
    align: 'right',
    cell: ({ network, method }) => shown(network.agreement[method]?.topOverlap, percent),
  },
  {
    title: 'Same class explained',
    align: 'right',
    cell: ({ network, method }) => shown(network.agreement[method]?.sameClass, (mean) => percent({ mean })),
  },
];

const faithfulnessColumns: readonly Column<Line>[] = [
  ...nameColumns,
  {
    title: 'Insertion',
    align: 'right',
    cell: ({ network: { quality }, method }) =>
      against(quality[method]?.insertion, quality[method]?.randomInsertion),
  },
  {
    title: 'Deletion',
    align: 'right',
    cell: ({ network: { quality }, method }) =>
      against(quality[method]?.deletion, quality[method]?.randomDeletion),
  },
];

function linesOf(
  networks: readonly ExplainedNetwork[],
  methods: (network: ExplainedNetwork) => readonly string[],
): readonly Line[] {
  return networks.flatMap((network) => methods(network).map((method) => ({ network, method })));
}

/** One image with a row for each network and a column for each method; in words below it what they predict. */
function explainedImage(
  { classes, images, networks }: Explanations,
  figure: string | undefined,
  index: number,
): Html | undefined {
  const image = images[index];
  if (image === undefined) return undefined;
  const className = (number: number) => classes[number] ?? `class ${number}`;
  const title = `${image.name}${image.label === undefined ? '' : `, labelled ${className(image.label)}`}`;
  const said = networks.flatMap(({ name, explanations }) => {
    const explanation = explanations[index];
    if (explanation === undefined) return [];
    const { prediction, confidence, target } = explanation;
    const explained = target === prediction ? '' : `; explained is ${className(target)}`;
    return [`${name} predicts ${className(prediction)} (${(100 * confidence).toFixed(1)} %)${explained}`];
  });
  const alternative = `Maps of what ${networks.map(({ name }) => name).join(', ')} look at in ${title}: a row for each network, a column for each method.`;
  return html`<figure>
${
  figure === undefined
    ? undefined
    : html`<div class="scroll" role="region" aria-label="${title}" tabindex="0"><img src="data:image/png;base64,${figure}" alt="${alternative}"></div>`
}
<figcaption><b>${title}</b>. ${said.join('. ')}.</figcaption>
</figure>
`;
}

function percent({ mean, standardDeviation }: Spread): string {
  const deviation = standardDeviation === undefined ? '' : ` ± ${(100 * standardDeviation).toFixed(0)}`;
  return `${(100 * mean).toFixed(0)}${deviation} %`;
}

function against(measured: Spread | undefined, random: Spread | undefined): string {
  return shown(measured, (spread) => formatAgainst(spread, random));
}
