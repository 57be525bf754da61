import type { Architecture } from './network.ts';
import { basicBlock, bottleneck, residualNetwork } from './residual.ts';

const blocks = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const;

/**
 * ResNets of four stages with 64, 128, 256 and 512 filters (He et al., CVPR 2016, table 1), named as in torchvision.
 *
 * For images up to 64 px the stem is one 3×3 convolution, as is usual for CIFAR. Stages are `layer1` … `layer4`:
 * the output of each one's last block, after its ReLU; 32, 16, 8 and 4 px for images of 32 px.
 */
export function resnet(depth: keyof typeof blocks): Architecture {
  const stages = blocks[depth].map((count, stage) => ({ channels: 64 * 2 ** stage, blocks: count }));
  const block = depth < 50 ? basicBlock : bottleneck;
  return (options) => residualNetwork(options, { block, stemChannels: 64, stages });
}
