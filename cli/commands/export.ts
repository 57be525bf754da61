import { resolve } from 'node:path';
import type { Command } from 'commander';
import { examples, rootOption } from '../options.ts';
import { namedLines } from '../progress/result-lines.ts';
import { findVersion } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = { readonly out: string; readonly fold?: boolean; readonly runs: string };

export function addExportCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('export')
    .summary('write a saved network as an ONNX file')
    .description(
      'Write a saved network as an ONNX file: its weights with the best validation accuracy. Before it is written, ' +
        'onnxruntime computes logits and features of 256 images from it, which must be those of the network.',
    )
    .argument('<version>', 'a name from destill versions, or the folder of a Run')
    .requiredOption('--out <file>', 'file to write')
    .option('--fold', 'put batch normalisations into convolutions: fewer operations, the same results')
    .addOption(rootOption())
    .action((reference: string, options: Options) => exportVersion(reference, options, surroundings));
  examples(
    command,
    'destill export teacher --out teacher.onnx',
    'destill export quickstart/small/soft-targets --out small.onnx --fold',
  );
}

async function exportVersion(
  reference: string,
  { out, fold = false, runs }: Options,
  { stdout }: Surroundings,
): Promise<void> {
  const { folder, run, handle } = findVersion(runs, reference);
  // Only now TensorFlow and onnxruntime are needed.
  const { exportCheckpoint } = await import('@destillml/trainer/export/export-checkpoint.ts');
  const { writeAtomic } = await import('@destillml/trainer/storage/atomic.ts');
  const { bytes, opset, imageSize, errors } = await exportCheckpoint(folder, { foldBatchNorm: fold });
  writeAtomic(resolve(out), [bytes]);
  const largest = Math.max(...errors.map(({ relative }) => relative));
  stdout.write(
    namedLines([
      ['version', `${handle} (${run.spec.parameters.model})`],
      ['file', `${out}, ${(bytes.length / 1e6).toFixed(1)} MB, opset ${opset}`],
      ['input', `images [batch, 3, ${imageSize}, ${imageSize}]`],
      ['outputs', errors.map(({ output }) => output).join(', ')],
      ['largest error', `${largest.toExponential(1)} of an output's largest value`],
    ]),
  );
}
