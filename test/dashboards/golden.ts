import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Course, courses } from './series.ts';

const folder = join(import.meta.dirname, '../fixtures/metrics');

/** What Prometheus adds to the series of each `/metrics`. */
const targets = {
  operator: { job: 'destillml-operator', instance: '10.0.0.1:8443', pod: 'destillml-0' },
  trainer: {
    job: 'destillml-trainer',
    instance: '10.0.0.2:9090',
    namespace: 'lab',
    pod: 'cifar-hints-small-1-x7k2p',
  },
  others: { job: 'others', instance: '10.0.0.3:9400', namespace: 'monitoring', pod: 'exporter-0' },
} as const;

export type Exporter = keyof typeof targets;

/**
 * What `/metrics` said at the start of an hour, and at its end. Of our programs it is rendered by their own code, of a
 * lab that passes an hour (lab/, by `node scripts/generate.ts`); of others it is written by hand, after theirs.
 */
export function golden(exporter: Exporter, moment: 'before' | 'after'): string {
  return readFileSync(join(folder, `${exporter}-${moment}.txt`), 'utf8');
}

/** All series of a lab over an hour: two Experiments, of which one goes well. */
export function goldenHour(): readonly Course[] {
  const exporters = Object.keys(targets) as Exporter[];
  const up = exporters.map((exporter) => ({
    sample: { name: 'up', labels: targets[exporter], value: '1', type: 'gauge' },
    from: 1,
    to: 1,
  }));
  return [
    ...up,
    ...exporters.flatMap((each) => courses(golden(each, 'before'), golden(each, 'after'), targets[each])),
  ];
}
