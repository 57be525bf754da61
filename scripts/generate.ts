/**
 * Writes what is derived from the source: CRDs, dashboards, rules, the chart's copies of them, the reference pages, and
 * the metrics that dashboards are tested with.
 *
 *     node scripts/generate.ts            write
 *     node scripts/generate.ts --check    write nothing; fail if a file is out of date
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cliReference } from '@destillml/cli/reference.ts';
import { experimentDefinition, experimentSchema, runDefinition, runSchema } from '@destillml/core/api/crd.ts';
import { referencePage } from '@destillml/core/api/reference.ts';
import { metricsPage } from '@destillml/core/metrics/reference.ts';
import { dashboards } from '@destillml/dashboards/all.ts';
import { rulesFile } from '@destillml/dashboards/rules/files.ts';
import { stringify } from 'yaml';
import { labTexts } from '../test/dashboards/lab/texts.ts';

const root = join(import.meta.dirname, '..');

const definitions: Readonly<Record<string, string>> = {
  'experiments.destillml.io.yaml': definitionFile(experimentDefinition),
  'runs.destillml.io.yaml': definitionFile(runDefinition),
};

const dashboardFiles = Object.fromEntries(
  Object.entries(dashboards).map(([name, dashboard]) => [
    `${name}.json`,
    `${JSON.stringify(dashboard.json(), null, 2)}\n`,
  ]),
);

const rules = `# Generated from dashboards/rules by \`node scripts/generate.ts\`.\n${rulesFile()}`;

const generated: Readonly<Record<string, string>> = {
  ...inFolder('crds', definitions),
  // A chart reads no file outside of its folder.
  ...inFolder('charts/destillml/files/crds', definitions),
  ...inFolder('dashboards/generated', dashboardFiles),
  ...inFolder('charts/destillml/files/dashboards', dashboardFiles),
  'dashboards/generated/rules.yaml': rules,
  'charts/destillml/files/prometheus-rules.yaml': rules,
  ...inFolder('test/fixtures/metrics', await labTexts()),
  'docs/cli.md': cliReference(),
  'docs/metrics.md': metricsPage(),
  'docs/spec.md': referencePage([
    { name: 'Experiment', schema: experimentSchema },
    { name: 'Run', schema: runSchema },
  ]),
};

function definitionFile(definition: object): string {
  // One line per text and no aliases: diffs stay small and every YAML reader understands it.
  const yaml = stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false });
  return `# Generated from src/api by \`node scripts/generate.ts\`.\n${yaml}`;
}

function inFolder(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

function current(file: string): string | undefined {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const outdated = Object.entries(generated).filter(([file, text]) => current(file) !== text);

if (process.argv.includes('--check')) {
  for (const [file] of outdated) {
    process.stderr.write(`${file} is out of date: run node scripts/generate.ts and commit it\n`);
  }
  process.exitCode = outdated.length > 0 ? 1 : 0;
} else {
  for (const [file, text] of outdated) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    process.stdout.write(`wrote ${file}\n`);
  }
}
