/** A finished Experiment as it lies on a disk. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Experiment } from '../../src/api/experiment.ts';
import type { Run } from '../../src/api/run.ts';
import { experimentOf } from '../src/plan/world.ts';
import { complete, epoch } from '../src/report/made.ts';
import { runsWith } from '../src/results/runs.ts';

const experiment = experimentOf({}, { namespace: undefined, uid: undefined, generation: undefined });
export const runs = runsWith(experiment, complete);
const environment = { node: 'v24.1.2', tensorflow: '4.22.0', device: 'gpu' };

export function write(path: string, content: unknown): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

/** What the trainer leaves of a Run. */
export function writeArtifacts(folder: string, { metadata, spec, status }: Run): void {
  const { experiment, parameters } = spec;
  const { result } = status ?? {};
  const classes = ['0', '1'];
  write(join(folder, 'result.json'), {
    run: metadata.name,
    experiment,
    parameters,
    result,
    classes,
    environment,
  });
  // Killed in its second epoch, which was therefore trained twice.
  const records = [epoch(1), epoch(2, { validationAccuracy: 0 }), epoch(2), epoch(3), epoch(4)];
  const lines = records.map((record) => JSON.stringify(record));
  write(join(folder, 'history.jsonl'), `${[...lines, '{"epoch":5,"loss":null}', '{"epo'].join('\n')}`);
}

export function writeExperiment(path: string, { spec }: Experiment = experiment): void {
  write(
    path,
    stringify({ apiVersion: 'destillml.io/v1alpha1', kind: 'Experiment', metadata: { name: 'study' }, spec }),
  );
}

/** A folder as `destill run` leaves it. */
export function finished(folder: string): void {
  writeExperiment(join(folder, 'experiment.yaml'));
  for (const run of runs) {
    writeArtifacts(join(folder, 'runs', run.metadata.name), run);
    write(join(folder, 'runs', run.metadata.name, 'run.json'), run);
  }
}
