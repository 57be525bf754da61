/** What an explanation found, in numbers: from its document to the status of its Run, and from there to each network. */
import { z } from 'zod';
import { mapNames } from '../api/explain.ts';
import type { ExplanationResult, Run } from '../api/run.ts';
import type { ExplainedNetwork, Explanations } from './explanations.ts';

type Measure = (network: ExplainedNetwork) => number | undefined;

/** What the status of a Run keeps of `explanations.json`: means over the images, to three digits. */
export function explanationResult(
  { images, networks, seconds, sanity }: Explanations,
  artifacts: string,
): ExplanationResult {
  const found = mapNames.filter((map) => networks[0]?.quality[map] !== undefined);
  return {
    images: images.length,
    seconds: rounded(seconds),
    maps: found.map((map) => {
      const over = (value: Measure) => networks.map((network) => rounded(value(network) ?? 0));
      // The first is like itself.
      const withFirst = (value: Measure) => over((network) => (network === networks[0] ? 1 : value(network)));
      const passes = sanity[map]?.passes;
      return {
        map,
        agreement: withFirst(({ agreement }) => agreement[map]?.spearman.mean),
        topOverlap: withFirst(({ agreement }) => agreement[map]?.topOverlap.mean),
        insertion: over(({ quality }) => quality[map]?.insertion?.mean),
        deletion: over(({ quality }) => quality[map]?.deletion?.mean),
        ...(passes === undefined ? {} : { sane: passes }),
      };
    }),
    artifacts,
  };
}

/** Maps of one network by one method: means over the images, as in the status of the explanation. */
export const explainedMaps = z.strictObject({
  run: z.string().describe('Name of the Run that trained the network; of an ONNX file: teacher.'),
  map: z.enum(mapNames).describe('What made the maps.'),
  agreement: z.number().describe('Rank correlation with the maps of the first network, −1 – 1.'),
  topOverlap: z
    .number()
    .describe('Share of the top 20 % of the pixels that are in that of the first network.'),
  insertion: z.number().describe('Mean probability as the image is put together in the order of the map.'),
  deletion: z.number().describe('Mean probability as the image is taken apart in that order.'),
});

export type ExplainedMaps = z.output<typeof explainedMaps>;

/**
 * What the last explanation of an Experiment that ended well says of each network: the teacher, if there is one, then
 * students in the order of the spec. Nothing, while there is none.
 *
 * @param runs of the Experiment.
 */
export function explainedNetworks(runs: readonly Run[]): readonly ExplainedMaps[] {
  const ended = (run: Run) => Date.parse(run.status?.completionTime ?? '') || 0;
  const [last] = runs
    .filter(({ status }) => status?.explanation !== undefined)
    .sort((a, b) => ended(b) - ended(a));
  if (last === undefined) return [];
  const { teacherRun, teacherOnnx, explanation } = last.spec.parameters;
  // A file has no Run.
  const teacher = teacherRun ?? (teacherOnnx === undefined ? [] : 'teacher');
  const names = [teacher, explanation?.networks ?? []].flat();
  return (last.status?.explanation?.maps ?? []).flatMap(
    ({ map, agreement, topOverlap, insertion, deletion }) =>
      names.map((run, index) => ({
        map,
        run,
        agreement: agreement[index] ?? 0,
        topOverlap: topOverlap[index] ?? 0,
        insertion: insertion[index] ?? 0,
        deletion: deletion[index] ?? 0,
      })),
  );
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
