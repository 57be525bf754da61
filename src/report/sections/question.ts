import type { Experiment, ExperimentSpec } from '../../api/experiment.ts';
import { onnxTeacherAddress } from '../../api/onnx-teacher.ts';
import type { Spread } from '../../plan/spread.ts';
import { formatAccuracy, formatPercent, formatPoints, formatShare } from '../../results/format.ts';
import type { SummaryRow } from '../../results/row.ts';
import { verdictText } from '../../results/verdict.ts';
import { type Content, type Html, html } from '../html.ts';
import { techniqueText } from '../techniques.ts';

/** What was asked, and what came out of it in a sentence for each student. */
export function questionSection({ spec }: Experiment, rows: readonly SummaryRow[]): Html {
  const answers = spec.students.flatMap((student) => answer(student.name, rows) ?? []);
  const facts: readonly (readonly [string, Content])[] = [
    ['Images', images(spec.dataset)],
    ['Teacher', teacher(spec, rows)],
    ['Students', spec.students.map(({ name, model }) => `${name} (${model})`).join(', ')],
    [
      'Techniques',
      spec.distillation.length === 0
        ? 'none: students are trained plainly'
        : html`<ul>${spec.distillation.map(({ name, ...terms }) => html`<li><b>${name}</b>: ${techniqueText(terms)}</li>`)}</ul>`,
    ],
    ['Recipe', recipe(spec.training)],
    ['Seeds', spec.seeds.join(', ')],
  ];
  return html`<section aria-labelledby="question">
<h2 id="question">What was asked</h2>
<p>How much of what a teacher knows does each technique bring into a smaller student, compared with the same student
trained without a teacher?</p>
${answers.length > 0 ? html`<div class="answer">${answers}${caution(spec)}</div>` : undefined}
<dl>${facts.map(([term, fact]) => html`<div><dt>${term}</dt><dd>${fact}</dd></div>`)}</dl>
</section>
`;
}

/** The technique that the validation images chose; the test images tell how good it is. */
function answer(student: string, rows: readonly SummaryRow[]): Html | undefined {
  const own = rows.filter((row) => row.stage === 'main' && row.student === student);
  const baseline = own.find(({ role }) => role === 'baseline');
  const [best] = own
    .filter(({ role, gain }) => role === 'distilled' && gain !== undefined)
    .sort((a, b) => (b.validationAccuracy?.mean ?? 0) - (a.validationAccuracy?.mean ?? 0));
  if (best?.testAccuracy === undefined || best.gain === undefined || !baseline?.testAccuracy)
    return undefined;
  const closed =
    best.gapClosed === undefined ? '' : `, ${formatPercent(best.gapClosed)} of its gap to the teacher`;
  return html`<p><b>${student}</b> (${best.network}) did best with <b>${best.technique}</b>, chosen on the validation images:
test accuracy ${accuracy(best.testAccuracy)} against ${accuracy(baseline.testAccuracy)} of its baseline,
${formatPoints(best.gain.mean)} points${closed}; ${verdictText(best.gain)}.</p>
`;
}

function accuracy(spread: Spread): Html {
  return html`<span class="nowrap">${formatAccuracy(spread)}</span>`;
}

function caution({ seeds }: ExperimentSpec): Html | undefined {
  return seeds.length > 1
    ? undefined
    : html`<p class="note">One seed: how much of a difference is chance is not known. More seeds tell.</p>`;
}

function images({ name, imageSize, fraction, validation }: ExperimentSpec['dataset']): string {
  const share = fraction === 1 ? 'all training images' : `${formatShare(fraction)} of the training images`;
  return `${name}, ${imageSize === undefined ? '' : `${imageSize} px, `}${share}, ${validation} held out for validation`;
}

function teacher({ teacher: { model, from } }: ExperimentSpec, rows: readonly SummaryRow[]): string {
  if (model !== undefined) return model;
  if (from?.onnx !== undefined) return `the file ${onnxTeacherAddress(from.onnx)}`;
  const found = rows.find(({ role }) => role === 'teacher')?.network;
  const origin = from?.run === undefined ? `Experiment ${from?.experiment}` : `Run ${from.run}`;
  return `${found === undefined ? '' : `${found} `}of ${origin}`;
}

function recipe({
  epochs,
  batchSize,
  optimizer,
  schedule,
  labelSmoothing,
}: ExperimentSpec['training']): string {
  return (
    `${epochs} epochs, batches of ${batchSize}, SGD with learning rate ${optimizer.learningRate}, momentum ` +
    `${optimizer.momentum}, weight decay ${optimizer.weightDecay}, ${schedule.warmupEpochs} ${schedule.warmupEpochs === 1 ? 'epoch' : 'epochs'} of warm-up, then ` +
    `cosine; label smoothing ${labelSmoothing} without a teacher, 0 with one`
  );
}
