import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cliReference } from '../../cli/reference.ts';
import { destill } from './destill.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const commands = [
  'run',
  'validate',
  'results',
  'report',
  'train',
  'distill',
  'versions',
  'evaluate',
  'explain',
  'export',
  'dataset',
  'queue',
  'why',
  'curves',
  'stop',
  'start',
  'retry',
];

test('docs/cli.md is what node scripts/generate.ts writes', () => {
  expect(page).toBe(cliReference());
});

test.each(commands)(
  'the help of %s is in docs/cli.md, fits 80 columns and has an example',
  async (command) => {
    const { code, stdout } = await destill(command, '--help');
    expect(code).toBe(0);
    expect(page).toContain(`\n\`\`\`\n${stdout.trimEnd()}\n\`\`\`\n`);
    expect(stdout).toContain(`\nExamples:\n  destill `);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  },
);

test('every command is in docs/cli.md', async () => {
  const { stdout } = await destill('--help');
  expect(page.match(/^## destill .+$/gm)).toEqual(commands.map((command) => `## destill ${command}`));
  for (const command of commands) expect(stdout).toContain(`\n  ${command} `);
});
