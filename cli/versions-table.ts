import { phaseOf } from '@destillml/core/plan/phases.ts';
import type { Version } from './store/versions.ts';

const titles = ['', 'network', 'role', 'epochs', 'val %', 'test %', 'date'] as const;
const isNumber = [false, false, false, true, true, true, false] as const;

/**
 * A table of versions under the data set they were trained on, and of Runs under their Experiment.
 *
 * 80 columns hold names of 24 characters; longer ones are never cut, since people copy them.
 */
export function versionsTable(versions: readonly Version[]): string {
  const groups = Map.groupBy(versions, heading);
  const rows = [...groups.values()].flat().map(cells);
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const body = [...groups].flatMap(([title, members]) => [
    title,
    ...members.map((member) => line(cells(member))),
  ]);
  return `${[line(titles), ...body].join('\n')}\n`;
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
