import { phaseOf } from '@destillml/core/plan/phases.ts';
import { groupedTable } from './columns.ts';
import type { Version } from './store/versions.ts';

const titles = ['', 'network', 'role', 'epochs', 'val %', 'test %', 'date'] as const;
const aligned = ['start', 'start', 'start', 'end', 'end', 'end', 'start'] as const;

/**
 * A table of versions under the data set they were trained on, and of Runs under their Experiment.
 *
 * 80 columns hold names of 24 characters; longer ones are never cut, since people copy them.
 */
export function versionsTable(versions: readonly Version[]): string {
  const groups = [...Map.groupBy(versions, heading)];
  return groupedTable(
    titles,
    groups.map(([title, members]) => ({ title, rows: members.map(cells) })),
    aligned,
  );
}

function heading({ experiment, handle, run }: Version): string {
  const { name } = run.spec.parameters.dataset;
  return experiment === undefined
    ? `versions, ${name}`
    : `${handle.slice(0, handle.indexOf('/') + 1)}…, ${name}`;
}

function cells({ experiment, handle, run }: Version): string[] {
  const { parameters } = run.spec;
  const { progress, result, completionTime, startTime } = run.status ?? {};
  const validation = result?.validationAccuracy ?? progress?.bestValidationAccuracy;
  const phase = phaseOf(run);
  const isOver = ['Failed', 'Stopped', 'Skipped'].includes(phase);
  return [
    `  ${experiment === undefined ? handle : handle.slice(handle.indexOf('/') + 1)}`,
    parameters.model,
    parameters.role,
    `${result?.epochs ?? progress?.epoch ?? 0}/${parameters.training.epochs}`,
    validation === undefined ? '–' : percent(validation),
    result === undefined ? (isOver ? phase : '–') : percent(result.testAccuracy),
    (completionTime ?? progress?.updatedAt ?? startTime ?? '–').slice(0, 10),
  ];
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
