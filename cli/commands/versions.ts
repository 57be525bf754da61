import type { Command } from 'commander';
import { examples, rootOption } from '../options.ts';
import { listVersions } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';
import { versionsTable } from '../versions-table.ts';

export function addVersionsCommand(program: Command, { stdout }: Surroundings): void {
  const command = program
    .command('versions')
    .summary('list saved networks')
    .description('List every network trained on this machine: versions, and the Runs of Experiments.')
    .addOption(rootOption())
    .action(({ runs }: { readonly runs: string }) => {
      const versions = listVersions(runs);
      stdout.write(
        versions.length > 0
          ? versionsTable(versions)
          : `nothing in ${runs} yet: "destill train" and "destill run" train networks\n`,
      );
    });
  examples(command, 'destill versions', 'destill evaluate quickstart/teacher');
}
