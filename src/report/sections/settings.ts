import { phaseOf } from '../../plan/phases.ts';
import { formatAccuracy } from '../../results/format.ts';
import { type Html, html } from '../html.ts';
import type { ReportInput, ReportRun } from '../input.ts';
import { type Column, table } from '../table.ts';
import { shown } from './results.ts';

const runColumns: readonly Column<ReportRun>[] = [
  { title: 'Run', cell: ({ run }) => run.metadata.name },
  { title: 'Phase', cell: ({ run }) => phaseOf(run) },
  {
    title: 'Epochs',
    align: 'right',
    cell: ({ run, history }) => run.status?.result?.epochs ?? history.length,
  },
  { title: 'Best epoch', align: 'right', cell: ({ run }) => run.status?.result?.bestEpoch ?? '–' },
  {
    title: 'Validation',
    align: 'right',
    cell: ({ run }) => shown(run.status?.result?.validationAccuracy, share),
  },
  { title: 'Test', align: 'right', cell: ({ run }) => shown(run.status?.result?.testAccuracy, share) },
  {
    title: 'Test, top 5',
    align: 'right',
    cell: ({ run }) => shown(run.status?.result?.testAccuracyTop5, share),
  },
];

const versionColumns: readonly Column<readonly [string, string]>[] = [
  { title: 'What', cell: ([name]) => name },
  { title: 'Version', cell: ([, version]) => version },
];

/** All that is needed to do it again. */
export function settingsSection({ experiment, runs, settings, versions }: ReportInput): Html {
  return html`<section aria-labelledby="settings">
<h2 id="settings">Exact settings</h2>
${table('Every Run', runColumns, runs)}
${experiment.spec.sweep && html`<p class="note">Of the search only the best trials are here; all of them are in results.json.</p>`}
<p>The spec, with all defaults:</p>
<pre class="scroll" role="region" aria-label="Spec of the Experiment as YAML" tabindex="0">${settings}</pre>
${table('Versions', versionColumns, Object.entries(versions))}
</section>
`;
}

function share(mean: number): string {
  return formatAccuracy({ mean });
}
