/**
 * Speed of training against its peers, in one alternating run: `make bench`, or `node test/bench/main.ts [PART…]`.
 *
 * Every contestant is a process of its own that stays warm; they train in turn, and the median of the rounds counts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Contestant, startContestant } from './contestant.ts';
import { fashionMnist } from './images.ts';
import type { ScenarioName } from './scenarios.ts';

const settleMilliseconds = 2000;
const here = import.meta.dirname;
const python = join(here, '../../.tools/peers/bin/python');
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, steps: { type: 'string', default: '10' } },
});
const rounds = Number(options.rounds);
const steps = Number(options.steps);

const ours = (scenario: ScenarioName, ...rest: string[]) =>
  startContestant(`DestillML, ${scenario}`, process.execPath, [join(here, 'ours.ts'), scenario, ...rest]);
/** Without a format: PyTorch's default, as its documentation has it. */
const torch = (
  kind: 'torch' | 'compiled',
  scenario: ScenarioName,
  format: 'contiguous_format' | 'channels_last' = 'contiguous_format',
  ...rest: string[]
) => {
  const label = kind === 'torch' ? 'PyTorch eager' : 'PyTorch compiled';
  const layout = format === 'channels_last' ? ', channels_last' : '';
  const workers = rest[1] === undefined ? '' : `, ${rest[1]} workers`;
  const args = [join(here, 'peers.py'), kind, scenario, format, ...rest];
  return startContestant(`${label}${layout}, ${scenario}${workers}`, python, args);
};

const parts = {
  async step() {
    const result = await contest([
      () => ours('step'),
      () => startContestant('tfjs-layers, step', process.execPath, [join(here, 'tfjs-layers.ts')]),
      () => startContestant('Keras graph, step', python, [join(here, 'peers.py'), 'keras', 'step']),
      () => torch('torch', 'step'),
      () => torch('compiled', 'step'),
      () => torch('torch', 'step', 'channels_last'),
      () => torch('compiled', 'step', 'channels_last'),
    ]);
    show('The step alone: ResNet-20, batch 128', result, ['≥ 3.3', '≥ 1.1', '≥ 1.15', '≥ 1.15']);
  },
  async 'end-to-end'() {
    await withImages(async (images) => {
      const result = await contest([
        () => ours('end-to-end', images),
        () => ours('step'),
        ...['0', '1', '2'].map(
          (workers) => () => torch('torch', 'end-to-end', 'channels_last', images, workers),
        ),
      ]);
      show("End to end: real images, the study's augmentations, ResNet-20, batch 128", result, [
        '≥ 0.95',
        ...bestPeer(result.slice(2), '≥ 1.4'),
      ]);
    });
  },
  async resnet18() {
    await withImages(async (images) => {
      const result = await contest(
        [
          () => ours('step-resnet18'),
          () => ours('end-to-end-resnet18', images),
          () => torch('torch', 'step-resnet18', 'channels_last'),
          () => torch('torch', 'end-to-end-resnet18', 'channels_last', images, '1'),
        ],
        Math.max(1, Math.round(steps / 5)),
      );
      show('ResNet-18, batch 64', result, []);
    });
  },
  async distilled() {
    const result = await contest([
      () => ours('distilled'),
      () => torch('torch', 'distilled', 'channels_last'),
      () => torch('compiled', 'distilled', 'channels_last'),
    ]);
    show('Distilled step: ResNet-56 teaches ResNet-20 by attention transfer, batch 128', result, []);
  },
  async memory() {
    await withImages(async (images) => {
      const contestant = await ours('end-to-end', images);
      await contestant.run(500);
      const before = await contestant.memory();
      await contestant.run(2500);
      const after = await contestant.memory();
      await contestant.stop();
      const growth = ((100 * (after - before)) / before).toFixed(2);
      const sizes = `${mib(before)} MiB at step 500, ${mib(after)} MiB at step 3000`;
      console.log(`\nResident memory: ${sizes}: ${growth} % more (aim < 2 %)`);
    });
  },
};

const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; 2 threads each; ${rounds} rounds of ${steps} steps`,
);
for (const name of wanted) {
  if (!(name in parts))
    throw new RangeError(`no part "${name}": choose from ${Object.keys(parts).join(', ')}`);
  await parts[name as keyof typeof parts]();
}

interface Standing {
  readonly name: string;
  readonly median: number;
}

/** Lets contestants train in turn; medians of their images per second. */
async function contest(starts: readonly (() => Promise<Contestant>)[], count = steps): Promise<Standing[]> {
  const contestants: Contestant[] = [];
  try {
    for (const start of starts) contestants.push(await start());
    const measured = contestants.map((): number[] => []);
    for (let round = 0; round <= rounds; round++) {
      for (const [index, contestant] of contestants.entries()) {
        // Loaders of the one before still fetch ahead for a moment.
        await setTimeout(settleMilliseconds);
        const speed = await contestant.run(count);
        // The first round only warms up.
        if (round > 0) measured[index]?.push(speed);
      }
    }
    return contestants.map(({ name }, index) => ({ name, median: median(measured[index] ?? []) }));
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()));
  }
}

/** Prints images per second and how many times faster the first is than each other one. */
function show(title: string, [first, ...others]: readonly Standing[], aims: readonly string[]): void {
  if (first === undefined) return;
  console.log(`\n${title}`);
  console.log(`  ${first.name.padEnd(44)} ${first.median.toFixed(0).padStart(6)} images/s`);
  others.forEach(({ name, median }, index) => {
    const ratio = (first.median / median).toFixed(2);
    const aim = aims[index] ? `  (aim ${aims[index]})` : '';
    console.log(`  ${name.padEnd(44)} ${median.toFixed(0).padStart(6)} images/s  ratio ${ratio}${aim}`);
  });
}

/** The aim belongs to the fastest of the peers. */
function bestPeer(peers: readonly Standing[], aim: string): string[] {
  const best = Math.max(...peers.map(({ median }) => median));
  return peers.map(({ median }) => (median === best ? aim : ''));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

/** 12,800 real images (Fashion-MNIST) in one file, for ours and for the peers. */
async function withImages(body: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'destill-bench-'));
  try {
    const { train } = await fashionMnist();
    const count = 12_800;
    const pixels = new Uint8Array(count * train.size * train.size * 3);
    await train.read(
      Uint32Array.from({ length: count }, (_, index) => index),
      pixels,
    );
    const file = join(folder, 'images.bin');
    writeFileSync(file, Buffer.concat([pixels, Uint8Array.from(train.labels.subarray(0, count))]));
    await body(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
