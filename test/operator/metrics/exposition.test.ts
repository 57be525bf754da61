import { describe, expect, it } from 'vitest';
import { exposition, labelText } from '../../../operator/metrics/exposition.ts';
import { runMetrics } from '../../../src/metrics/runs.ts';

describe('the text format of Prometheus', () => {
  it('has what a metric is, then its series', () => {
    const series = [
      [labelText({ run: 'one' }), 3],
      [labelText({ run: 'two' }), 0.1],
    ] as const;
    expect([...exposition(runMetrics.epoch, series)].join('')).toBe(
      [
        '# HELP destillml_run_epoch Epochs completed, parts of the current one included; an explanation counts as one',
        '# TYPE destillml_run_epoch gauge',
        'destillml_run_epoch{run="one"} 3',
        'destillml_run_epoch{run="two"} 0.1',
        '',
      ].join('\n'),
    );
  });

  it('comes in parts of whole lines, however much there is', () => {
    const count = 10_000;
    const series = Array.from({ length: count }, (_, run) => [labelText({ run: `${run}` }), run] as const);
    const parts = [...exposition(runMetrics.epoch, series)];
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part.length).toBeLessThan(70_000);
      expect(part.endsWith('\n')).toBe(true);
    }
    expect(parts.join('').match(/\n/g)).toHaveLength(2 + count);
  });

  it('escapes what labels hold, and leaves out those that say nothing', () => {
    expect(labelText({ run: 'a"b\\c\nd', arm: undefined, student: '', seed: '1' })).toBe(
      'run="a\\"b\\\\c\\\\u000ad",seed="1"',
    );
  });
});
