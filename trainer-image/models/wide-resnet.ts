import { batchNorm, convolution, type Layer, linear, relu, sequence } from '../nn/layers.ts';
import type { Variables } from '../nn/variables.ts';
import { tf } from '../tensorflow/tf.ts';
import type { Architecture } from './network.ts';
import { stagedNetwork } from './staged.ts';
import { stemConvolution, stemPool } from './stem.ts';

const stemChannels = 16;

/**
 * Wide residual networks of depth 6n + 4 (Zagoruyko & Komodakis, BMVC 2016), named as in RepDistiller.
 *
 * Normalisation and ReLU come before each convolution. Stages are `block1` … `block3`: the sum that each one's last
 * block puts out, **before** the normalisation and ReLU that follow, which belong to the next block or to the
 * classifier; so the maps have negative values. Attention transfer's authors and RepDistiller take the same maps.
 * 32, 16 and 8 px for images of 32 px.
 */
export function wideResnet(depth: 16 | 40, widening: 1 | 2): Architecture {
  const blocks = (depth - 4) / 6;
  const widths = [16 * widening, 32 * widening, 64 * widening];
  return (options) => {
    const { variables, classes } = options;
    let inputs = stemChannels;
    return stagedNetwork(variables, {
      stem: sequence(stemConvolution(options, stemChannels), stemPool(options)),
      stages: widths.map((channels, stage) =>
        sequence(
          ...Array.from({ length: blocks }, (_, index) => {
            const stride = stage > 0 && index === 0 ? 2 : 1;
            const layer = block(variables, `block${stage + 1}.layer.${index}`, inputs, channels, stride);
            inputs = channels;
            return layer;
          }),
        ),
      ),
      neck: sequence(batchNorm(variables, 'bn1', inputs), relu),
      classifier: linear(variables, 'fc', inputs, classes),
    });
  };
}

/** Where the number of channels changes, the shortcut starts behind the first normalisation and ReLU. */
function block(variables: Variables, name: string, inputs: number, outputs: number, stride: number): Layer {
  const before = sequence(batchNorm(variables, `${name}.bn1`, inputs), relu);
  const residual = sequence(
    convolution(variables, `${name}.conv1`, inputs, outputs, { kernel: 3, stride }),
    batchNorm(variables, `${name}.bn2`, outputs),
    relu,
    convolution(variables, `${name}.conv2`, outputs, outputs, { kernel: 3 }),
  );
  if (inputs === outputs) {
    return (x, training) => tf.add(x, residual(before(x, training), training));
  }
  const shortcut = convolution(variables, `${name}.convShortcut`, inputs, outputs, { kernel: 1, stride });
  return (x, training) => {
    const active = before(x, training);
    return tf.add(shortcut(active, training), residual(active, training));
  };
}
