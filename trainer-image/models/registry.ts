import type { ModelName } from '@destillml/core/api/models.ts';
import { mobilenetV2 } from './mobilenet-v2.ts';
import type { Architecture, Network, NetworkOptions } from './network.ts';
import { resnet } from './resnet.ts';
import { plainWidths, resnetCifar, wideWidths } from './resnet-cifar.ts';
import { vgg } from './vgg.ts';
import { wideResnet } from './wide-resnet.ts';

const architectures: Readonly<Record<ModelName, Architecture>> = {
  resnet18: resnet(18),
  resnet34: resnet(34),
  resnet50: resnet(50),
  resnet101: resnet(101),
  resnet152: resnet(152),
  resnet8: resnetCifar(8, plainWidths),
  resnet14: resnetCifar(14, plainWidths),
  resnet20: resnetCifar(20, plainWidths),
  resnet32: resnetCifar(32, plainWidths),
  resnet44: resnetCifar(44, plainWidths),
  resnet56: resnetCifar(56, plainWidths),
  resnet110: resnetCifar(110, plainWidths),
  resnet8x4: resnetCifar(8, wideWidths),
  resnet32x4: resnetCifar(32, wideWidths),
  'wrn-16-1': wideResnet(16, 1),
  'wrn-16-2': wideResnet(16, 2),
  'wrn-40-1': wideResnet(40, 1),
  'wrn-40-2': wideResnet(40, 2),
  vgg8: vgg(8),
  vgg11: vgg(11),
  vgg13: vgg(13),
  vgg16: vgg(16),
  vgg19: vgg(19),
  'vgg19-half': vgg(19, 0.5),
  'mobilenet-v2': mobilenetV2,
};

/** Builds a network; its variables are added to `options.variables`. */
export function buildNetwork(name: ModelName, options: NetworkOptions): Network {
  return architectures[name](options);
}
