/**
 * Speed of explanations: `make bench-explain`. 16 images, 4 networks, Grad-CAM, LIME and SHAP (expected gradients and
 * Kernel SHAP), ResNet-20 at 32 px; then insertion and deletion of every map. Untrained weights take as long as others.
 */
import { cpus } from 'node:os';
import { type ExplainOptions, explain } from '@destillml/trainer/explain/explain.ts';
import { imagesAt } from '@destillml/trainer/explain/images.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { kaiming } from '@destillml/trainer/nn/initial.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { fashionMnist } from './images.ts';

const size = 32;
const classes = 10;
const aimSeconds = 180;

const { test } = await fashionMnist();
const images = await imagesAt(
  test,
  Uint32Array.from({ length: 16 }, (_, index) => index),
);
const networks = [1, 2, 3, 4].map((seed) => ({
  name: `resnet20, seed ${seed}`,
  model: 'resnet20' as const,
  classes,
  imageSize: size,
  open: () => buildNetwork('resnet20', { variables: new Variables(kaiming(seed)), classes, imageSize: size }),
}));

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`);
const seconds = await measured({ methods: ['gradCam', 'lime', 'shap'] });
console.log(`16 images × 4 networks × 3 methods: ${seconds.toFixed(0)} s (aim ≤ ${aimSeconds} s)`);
for (const method of ['gradCam', 'lime', 'shap'] as const) {
  console.log(`  ${method.padEnd(8)} alone: ${(await measured({ methods: [method] })).toFixed(0)} s`);
}
const faithful = await measured({ methods: ['gradCam'], faithfulness: true });
console.log(`  gradCam with insertion and deletion: ${faithful.toFixed(0)} s`);

async function measured(options: ExplainOptions): Promise<number> {
  const started = performance.now();
  await explain(networks, images, options);
  return (performance.now() - started) / 1000;
}
