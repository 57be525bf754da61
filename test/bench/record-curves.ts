import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHistory } from '@destillml/trainer/artifacts/history.ts';
import { readRuns, runFolder } from '../../cli/store/experiment-folder.ts';

// Writes what a bench replays: the validation accuracies of the Runs of a search, as they were trained.
const [folder = ''] = process.argv.slice(2);
const curves = readRuns(folder)
  .flatMap(({ metadata, spec: { trial }, status }) => {
    if (trial === undefined || status?.phase !== 'Succeeded') return [];
    const history = readHistory(runFolder(folder, metadata.name));
    const validationAccuracy = history.map((record) => Number(record.validationAccuracy.toFixed(4)));
    return [{ number: trial.number, values: trial.values, validationAccuracy }];
  })
  .sort((a, b) => a.number - b.number)
  .map(({ values, validationAccuracy }) => JSON.stringify({ values, validationAccuracy }));
const parameters = Object.keys(JSON.parse(curves[0] ?? '{"values":{}}').values);
const path = join(import.meta.dirname, '../fixtures/learning-curves.json');
writeFileSync(path, `{"parameters": ${JSON.stringify(parameters)}, "curves": [\n${curves.join(',\n')}\n]}\n`);
console.log(`${path}: ${curves.length} curves`);
