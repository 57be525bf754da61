import { catalogue } from './catalogue.ts';
import { failureReasons } from './failure-reasons.ts';
import { labelTexts } from './labels.ts';
import type { Metric } from './metric.ts';

/** The reference page in Markdown: every metric by who exports it, then the labels. */
export function metricsPage(): string {
  return [
    '# Metrics',
    '',
    '<!-- Generated from src/metrics by `node scripts/generate.ts`. -->',
    '',
    'Seconds, bytes, shares in 0–1 and correlations in −1–1. Where a label says nothing of a series, such as the arm of a teacher, it is left out.',
    'How Prometheus gets them, [operations](operations.md) says.',
    '',
    ...catalogue.flatMap(({ title, exporter, metrics }) => [
      `## ${title}`,
      '',
      exporter,
      '',
      '| metric | type | unit | what | labels |',
      '| --- | --- | --- | --- | --- |',
      ...metrics.map(row),
      '',
    ]),
    '## Labels',
    '',
    '| label | what |',
    '| --- | --- |',
    ...Object.entries(labelTexts).map(([name, text]) => `| \`${name}\` | ${text} |`),
    '',
    `The \`reason\` of a failure is one of ${failureReasons.join(', ')}.`,
    '',
  ].join('\n');
}

function row({ name, type, unit, help, labels }: Metric): string {
  const names = labels.map((label) => `\`${label}\``).join(' ');
  return `| \`${name}\` | ${type} | ${unit} | ${help.replace(/\.$/, '')} | ${names} |`;
}
