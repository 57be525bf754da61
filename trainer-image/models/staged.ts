import * as kernels from '../nn/kernels.ts';
import type { Layer } from '../nn/layers.ts';
import type { Variables } from '../nn/variables.ts';
import type { Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import type { Network } from './network.ts';

/** The parts of a network, in the order in which they are computed. */
export interface Parts {
  readonly stem: Layer;
  /** Their outputs are the network's features. */
  readonly stages: readonly Layer[];
  /** What comes between the last stage and the pooling. */
  readonly neck?: Layer;
  readonly classifier: (x: Tensor2D) => Tensor2D;
}

/** Stem, stages, global average pooling and one linear layer: the form of every network here. */
export function stagedNetwork(variables: Variables, { stem, stages, neck, classifier }: Parts): Network {
  return {
    variables,
    forward(images, training) {
      const features: Tensor4D[] = [];
      let x = stem(images, training);
      for (const stage of stages) {
        x = stage(x, training);
        features.push(x);
      }
      const pooled = kernels.globalAveragePool(neck === undefined ? x : neck(x, training));
      return { logits: classifier(pooled), stages: features };
    },
  };
}
