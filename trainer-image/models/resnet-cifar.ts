import type { Architecture } from './network.ts';
import { basicBlock, residualNetwork } from './residual.ts';

/** Channels of the stem and of the three stages. */
type Widths = readonly [number, number, number, number];

/** ResNets of He et al. (CVPR 2016), section 4.2. */
export const plainWidths: Widths = [16, 16, 32, 64];
/** Four times as wide, the stem twice: `resnet8x4` and `resnet32x4` of RepDistiller. */
export const wideWidths: Widths = [32, 64, 128, 256];

/**
 * ResNets of depth 6n + 2 for CIFAR: three stages of n basic blocks.
 *
 * As in RepDistiller (Tian et al., "Contrastive Representation Distillation", ICLR 2020), whose networks most
 * published distillation results use, shortcuts between stages are a 1×1 convolution with batch normalisation.
 * Stages are `layer1` … `layer3`: the output of each one's last block, after its ReLU; 32, 16 and 8 px for images of
 * 32 px.
 */
export function resnetCifar(
  depth: 8 | 14 | 20 | 32 | 44 | 56 | 110,
  [stem, ...widths]: Widths,
): Architecture {
  const blocks = (depth - 2) / 6;
  const stages = widths.map((channels) => ({ channels, blocks }));
  return (options) => residualNetwork(options, { block: basicBlock, stemChannels: stem, stages });
}
