/** One picture per image: rows are networks, columns are methods. */
import { type MapName, mapNames, mapTitles } from '@destillml/core/api/explain.ts';
import sharp from 'sharp';
import { svgText } from '../data/svg-text.ts';
import { evidenceMap, heatMap } from './colours.ts';
import type { ExplainedBy, Explanation } from './explain.ts';
import type { ExplainedImage } from './subject.ts';

/** Least side of a picture. Pixels; small images are enlarged by a whole factor. */
const leastSide = 160;
const gap = 8;
const margin = 16;
const headerHeight = 60;
const footerHeight = 36;
/** Room for a network's name and what it predicts. */
const captionWidth = 216;
const ink = '#1a1a1a';
const faint = '#5c5c5c';

/**
 * A figure as PNG: the image, then a map per method, for every network.
 *
 * @param index of the image among those that the networks explained.
 * @param classes names by class.
 */
export async function figure(
  image: ExplainedImage,
  index: number,
  networks: readonly ExplainedBy[],
  classes: readonly string[],
): Promise<Buffer> {
  const size = Math.round(Math.sqrt(image.pixels.length / 3));
  const zoom = Math.max(1, Math.ceil(leastSide / size));
  const side = size * zoom;
  const rows = networks.flatMap(({ network, explanations }) => {
    const explanation = explanations[index];
    return explanation === undefined ? [] : [{ network, explanation }];
  });
  const names = mapNames.filter((name) =>
    rows.some(({ explanation }) => explanation.maps[name] !== undefined),
  );
  const left = (column: number) => margin + captionWidth + column * (side + gap);
  const top = (row: number) => margin + headerHeight + row * (side + gap);
  const width = left(names.length + 1) - gap + margin;
  const height = top(rows.length) - gap + footerHeight + margin;

  const pictures = rows.flatMap(({ explanation }, row) => [
    { picture: image.pixels, column: 0, row },
    ...names.flatMap((name, position) => {
      const map = explanation.maps[name];
      if (map === undefined) return [];
      const paint = name === 'gradCam' ? heatMap : evidenceMap;
      return [{ picture: paint(image.pixels, map.values), column: position + 1, row }];
    }),
  ]);
  const layers = await Promise.all(
    pictures.map(async ({ picture, column, row }) => ({
      input: await enlarged(picture, size, side),
      left: left(column),
      top: top(row),
    })),
  );

  const label = image.label === undefined ? '' : `, labelled ${className(classes, image.label)}`;
  const texts = [
    text(`${image.name}${label}`, margin, margin + 14, { size: 15, bold: true, room: width - 2 * margin }),
    ...['Image', ...names.map((name) => mapTitles[name])].map((title, column) =>
      text(title, left(column), margin + headerHeight - 8, { size: 12, bold: true, room: side + gap }),
    ),
    ...rows.flatMap(({ network, explanation }, row) =>
      caption(network, explanation, classes, top(row) + side / 2),
    ),
    legend(names, height - margin),
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${texts.join('')}</svg>`;
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
    .removeAlpha()
    .png()
    .toBuffer();
}

/** What stands at the left of a row: the network, its prediction, and the class explained where it is another. */
function caption(
  network: string,
  explanation: Explanation,
  classes: readonly string[],
  middle: number,
): string[] {
  const { prediction, confidence, target } = explanation;
  const room = captionWidth - gap;
  const percent = (100 * confidence).toFixed(1);
  return [
    text(network, margin, middle - 16, { size: 13, bold: true, room }),
    text(`predicts ${className(classes, prediction)}`, margin, middle + 4, { size: 12, room }),
    text(`confidence ${percent} %`, margin, middle + 22, { size: 12, room, colour: faint }),
    ...(target === prediction
      ? []
      : [
          text(`explained: ${className(classes, target)}`, margin, middle + 40, {
            size: 12,
            room,
            colour: '#b3001b',
          }),
        ]),
  ];
}

function legend(names: readonly MapName[], baseline: number): string {
  const parts = [
    ...(names.includes('gradCam') ? ['Grad-CAM: the more yellow, the more the class is seen there.'] : []),
    ...(names.some((name) => name !== 'gradCam')
      ? ['Other maps: red, for the class; blue, against it.']
      : []),
  ];
  return text(parts.join(' '), margin, baseline, { size: 12, room: Number.POSITIVE_INFINITY, colour: faint });
}

function className(classes: readonly string[], label: number): string {
  return classes[label] ?? `class ${label}`;
}

interface TextStyle {
  readonly size: number;
  readonly room: number;
  readonly bold?: boolean;
  readonly colour?: string;
}

/** Text from `x` on its baseline `y`, shortened to the room there is. */
function text(content: string, x: number, y: number, { size, room, bold, colour = ink }: TextStyle): string {
  const most = Math.floor(room / (size * (bold ? 0.68 : 0.62)));
  return svgText(content, x, y, { size, most, colour, ...(bold && { bold }) });
}

function enlarged(picture: Uint8Array, size: number, side: number): Promise<Buffer> {
  return sharp(picture, { raw: { width: size, height: size, channels: 3 } })
    .resize(side, side, { kernel: 'nearest' })
    .png()
    .toBuffer();
}
