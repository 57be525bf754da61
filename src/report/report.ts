import { timestamp } from '../plan/conditions.ts';
import { hasEnded, outcomeOf, phaseOf } from '../plan/phases.ts';
import { summarise } from '../results/summary.ts';
import { bestFirst, byStudy, trialsOf } from '../results/trials.ts';
import { Html, html } from './html.ts';
import type { ReportInput, ReportRun } from './input.ts';
import { inOrder } from './order.ts';
import { comparisonSection } from './sections/comparison.ts';
import { costSection } from './sections/cost.ts';
import { curvesSection } from './sections/curves.ts';
import { explanationsSection } from './sections/explanations.ts';
import { questionSection } from './sections/question.ts';
import { resultsSection } from './sections/results.ts';
import { searchSection } from './sections/search.ts';
import { settingsSection } from './sections/settings.ts';
import { stylesOf } from './series.ts';
import { style } from './style.ts';

/**
 * `report.html`: what an Experiment asked and what came out of it, as one page that needs no network, no script and no
 * other file.
 */
export function experimentReport(given: ReportInput): string {
  const runs = inOrder(given.runs, given.experiment);
  const input = { ...given, runs };
  const { experiment, teacher, explanations, createdAt } = input;
  const { name, namespace } = experiment.metadata;
  const { rows } = summarise(
    experiment,
    runs.map(({ run }) => run),
    teacher,
  );
  const styleOf = stylesOf(experiment);
  const shown = withoutTrials(input);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${name}: knowledge distillation</title>
<link rel="icon" href="data:,">
<style>${new Html(style)}</style>
</head>
<body>
<main>
<h1>${name}</h1>
<p class="subtitle">Knowledge-distillation Experiment${namespace === undefined ? '' : ` of ${namespace}`}, as of ${day(createdAt)}</p>
${warning(runs)}
${questionSection(experiment, rows)}
${resultsSection(rows)}
${comparisonSection(rows, styleOf)}
${searchSection(experiment, runs, styleOf)}
${curvesSection(experiment, shown, styleOf)}
${explanations && explanationsSection(explanations, name)}
${costSection(runs)}
${settingsSection({ ...input, runs: shown })}
<footer>Written by DestillML.</footer>
</main>
</body>
</html>
`.text;
}

/** `2026-11-24 23:03 UTC` */
function day(time: Date): string {
  return `${timestamp(time).slice(0, 16).replace('T', ' ')} UTC`;
}

/** The Runs without those of the search, but with the best of each study that was trained to its end: it is a result, too. */
function withoutTrials({ experiment, runs }: ReportInput): readonly ReportRun[] {
  const trials = trialsOf(
    experiment,
    runs.map(({ run }) => run),
  );
  const best = byStudy(trials).flatMap(([, members]) =>
    bestFirst(members)
      .slice(0, 1)
      .flatMap(({ phase, run }) => (phase === 'Succeeded' ? run : [])),
  );
  return runs.filter(({ run }) => run.spec.trial === undefined || best.includes(run.metadata.name));
}

/**
 * What is missing: Runs that have not ended, and those that ended without success. Trials that are paused are as good
 * as ended, and which of them failed is told where the search is.
 */
function warning(runs: readonly ReportRun[]): Html | undefined {
  const all = runs.map(({ run }) => run).filter((run) => phaseOf(run) !== 'Paused');
  const open = all.filter((run) => !hasEnded(run)).length;
  const failed = all.filter(
    (run) => run.spec.trial === undefined && hasEnded(run) && phaseOf(run) !== 'Succeeded',
  );
  if (open === 0 && failed.length === 0) return undefined;
  return html`<div class="warning">
${open > 0 ? html`<p>${open} of ${all.length} Runs have not ended: what stands here is not final.</p>` : undefined}
${
  failed.length > 0
    ? html`<p>${failed.length} of ${all.length} Runs ended without success:</p><ul>${failed.map((run) => html`<li>${run.metadata.name}: ${outcomeOf(run)}</li>`)}</ul>`
    : undefined
}
</div>
`;
}
