/** Small trained networks, and images that they have not seen. */
import { defaultLoadDeps, load } from '@destillml/trainer/data/load.ts';
import { imagesAt } from '@destillml/trainer/explain/images.ts';
import type { ExplainedImage } from '@destillml/trainer/explain/subject.ts';
import { smallRun, temporaryFolder, trainSmall } from '../training/run.ts';

export const size = 16;
const tested = 200;

/** MNIST at 16 px with the first 200 test images. */
async function mnist(dataset: Parameters<typeof load>[0]) {
  const whole = await load(dataset, temporaryFolder(), defaultLoadDeps);
  return { ...whole, test: { ...whole.test, count: tested, labels: whole.test.labels.slice(0, tested) } };
}

const dataset = { name: 'mnist', imageSize: size, validation: 100, fraction: 0.03, augmentation: {} };

/** Trains a ResNet-8 for some seconds. Where its artifacts are, and how often it is right. */
export async function trained(seed: number): Promise<{ artifacts: string; accuracy: number }> {
  const artifacts = temporaryFolder();
  const training = { epochs: 4, batchSize: 32, optimizer: { learningRate: 0.1 } };
  const { outcome } = await trainSmall(smallRun({ artifacts, training, parameters: { seed, dataset } }), {
    load: mnist,
  });
  if (outcome.outcome !== 'succeeded') throw new Error(`training ended as ${outcome.outcome}`);
  return { artifacts, accuracy: outcome.result.testAccuracy };
}

/** The first test images, with their labels. */
export async function testImages(count: number): Promise<ExplainedImage[]> {
  const { parameters } = smallRun({ artifacts: 'unused', parameters: { dataset } });
  const { test } = await mnist(parameters.dataset);
  return imagesAt(
    test,
    Uint32Array.from({ length: count }, (_, index) => index),
  );
}
