/**
 * Quality and speed of hyperparameter search, beside Optuna in the same run: `make bench-search`. TPE on functions with
 * known optima; ASHA on learning curves that were recorded; the time of one suggestion.
 */
import { cpus } from 'node:os';
import {
  allToTheEnd,
  type Curves,
  epochsToGoal,
  halvingOfOptuna,
  ourAsha,
  readCurves,
} from './search/curves.ts';
import { testFunctions } from './search/functions.ts';
import { type Optuna, startOptuna } from './search/optuna.ts';
import { planCost } from './search/plan.ts';
import { intervalOf, median, regrets, seeds } from './search/quality.ts';
import { sizes, times } from './search/speed.ts';

/** Of the recorded trainings; of 20 the medians differ by a tenth from one twenty to the next. */
const orders = 100;
const aims = { regret: 1.1, epochs: 0.25, time: 1 / 5, p99: 50, growth: 2, kibibytes: 100 };

const optuna = startOptuna();
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; Optuna ${await optuna.version()}`);
await printQuality(optuna);
await printCurves(optuna, readCurves(process.argv[2]));
await printSpeed(optuna);
optuna.stop();
printPlan();

async function printQuality(peer: Optuna): Promise<void> {
  console.log(
    `\nRegret of the best of 100 trials, median of ${seeds} seeds (aim: ≤ ${aims.regret} of Optuna's,`,
  );
  console.log('and below those of Sobol points and of random ones)');
  console.log(row('', ['TPE', 'Optuna', 'ratio', '95 %', 'Sobol', 'random']));
  const ratios: number[] = [];
  for (const its of testFunctions) {
    const { tpe, optuna, sobol, random, ratio, interval } = await regrets(its, peer);
    ratios.push(ratio);
    console.log(
      row(its.name, [
        digits(tpe),
        digits(optuna),
        ratio.toFixed(2),
        interval.map((end) => end.toFixed(2)).join('–'),
        digits(sobol),
        digits(random),
      ]),
    );
  }
  // Two searches that are the same differ by a factor of two in a median of so few seeds: their mean says more.
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  console.log(row('geometric mean', ['', '', mean.toFixed(2)]));
}

async function printCurves(peer: Optuna, curves: Curves | undefined): Promise<void> {
  if (curves === undefined) {
    console.log('\nNo learning curves were recorded: test/fixtures/learning-curves.json is not there.');
    return;
  }
  const all = curves.reduce((sum, { validationAccuracy }) => sum + validationAccuracy.length, 0);
  console.log(
    `\nEpochs until 99 % of the best accuracy of ${curves.length} recorded trainings of ${all} epochs,`,
  );
  console.log(`median of ${orders} orders (aim: ≤ Optuna's, ≤ ${100 * aims.epochs} % of all)`);
  console.log(row('', ['ASHA', 'Optuna', 'ratio', '95 %', 'to the end', 'of all']));
  for (const workers of [1, 8]) {
    const spent = { asha: [] as number[], optuna: [] as number[], end: [] as number[] };
    for (let seed = 1; seed <= orders; seed++) {
      spent.asha.push(await epochsToGoal(curves, seed, workers, ourAsha(curves)));
      spent.optuna.push(await epochsToGoal(curves, seed, workers, await halvingOfOptuna(curves, peer, seed)));
      spent.end.push(await epochsToGoal(curves, seed, workers, allToTheEnd(curves)));
    }
    const [asha, optuna, end] = [median(spent.asha), median(spent.optuna), median(spent.end)];
    console.log(
      row(workers === 1 ? 'one worker' : `${workers} workers`, [
        asha.toFixed(0),
        optuna.toFixed(0),
        (asha / optuna).toFixed(2),
        intervalOf(spent.asha, spent.optuna)
          .map((bound) => bound.toFixed(2))
          .join('–'),
        end.toFixed(0),
        `${((100 * asha) / all).toFixed(0)} %`,
      ]),
    );
  }
}

async function printSpeed(peer: Optuna): Promise<void> {
  console.log(
    `\nMilliseconds of a suggestion of 10 parameters (p50 ≤ ${aims.time} of Optuna's, p99 ≤ ${aims.p99},`,
  );
  console.log(`at 10,000 trials ≤ ${aims.growth} × that at 1,000)`);
  console.log(row('', ['p50', 'p99', 'p99 of CPU', 'Optuna p50', 'p99', 'p50 ratio']));
  for (const size of sizes) {
    const { tpe, cpu, optuna } = await times(size, peer);
    console.log(
      row(`${size.toLocaleString('en')} trials`, [
        tpe.p50.toFixed(1),
        tpe.p99.toFixed(1),
        cpu.p99.toFixed(1),
        optuna.p50.toFixed(1),
        optuna.p99.toFixed(1),
        (tpe.p50 / optuna.p50).toFixed(3),
      ]),
    );
  }
}

function printPlan(): void {
  console.log(
    `\nA plan of a study after one of its Runs has changed (at 10,000 trials ≤ ${aims.growth} × that at 1,000),`,
  );
  console.log(`and the Experiment with its status (≤ ${aims.kibibytes} KiB)`);
  console.log(row('', ['ms', 'KiB']));
  for (const size of [1000, 10_000]) {
    const { milliseconds, bytes } = planCost(size);
    console.log(
      row(`${size.toLocaleString('en')} trials`, [milliseconds.toFixed(1), (bytes / 1024).toFixed(1)]),
    );
  }
}

function row(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(16)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

function digits(value: number): string {
  return value === 0 ? '0' : value.toPrecision(3);
}
