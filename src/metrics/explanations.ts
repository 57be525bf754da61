import { identityLabels } from './labels.ts';
import { metric } from './metric.ts';

/** The network that was explained, and what made its maps. */
const labels = [...identityLabels, 'map'] as const;

/** Of the last explanation of an Experiment, by the operator that leads. Means over the images that were explained. */
export const explanationMetrics = {
  agreement: metric({
    name: 'destillml_explanation_agreement',
    type: 'gauge',
    unit: 'correlation',
    help: 'Rank correlation of the maps with those of the teacher, or of the first network where there is no teacher',
    labels,
  }),
  topOverlap: metric({
    name: 'destillml_explanation_top_overlap_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Share of the top 20% of the pixels that are in the top 20% of the teacher, or of the first network; by chance 0.2',
    labels,
  }),
  insertion: metric({
    name: 'destillml_explanation_insertion_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Mean probability of the class as the image is put together in the order of the map',
    labels,
  }),
  deletion: metric({
    name: 'destillml_explanation_deletion_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Mean probability of the class as the image is taken apart in the order of the map',
    labels,
  }),
} as const;
