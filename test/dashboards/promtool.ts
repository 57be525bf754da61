import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { TemporaryFolder } from '../cluster/folder.ts';

const tools = join(import.meta.dirname, '../../.tools/prometheus');

/** Path of promtool or prometheus, as scripts/prometheus.sh put it there. */
export function prometheusTool(name: 'promtool' | 'prometheus'): string {
  const path = join(tools, name);
  if (!existsSync(path)) throw new Error(`${name} is not there: run scripts/prometheus.sh`);
  return path;
}

export type ExpectedSample = { readonly labels: string; readonly value: number };

/** A test of `promtool test rules`: see https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules */
export type RuleTest = {
  readonly interval: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly promql_expr_test?: readonly {
    readonly expr: string;
    readonly eval_time: string;
    readonly exp_samples: readonly ExpectedSample[];
  }[];
  readonly alert_rule_test?: readonly {
    readonly alertname: string;
    readonly eval_time: string;
    readonly exp_alerts: readonly {
      readonly exp_labels: Readonly<Record<string, string>>;
      readonly exp_annotations: Readonly<Record<string, string>>;
    }[];
  }[];
};

/** What promtool prints. @throws Error with what it says is wrong */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(prometheusTool('promtool'), args, {
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error) => {
    throw new Error(`promtool ${args.join(' ')}\n${error.stdout}${error.stderr}`);
  });
  return stdout;
}

/** Evaluates the rules of a file on given series. @throws Error with what differs from what is expected */
export async function testRules(rules: string, tests: readonly RuleTest[]): Promise<void> {
  const folder = new TemporaryFolder();
  try {
    const asked = { rule_files: [rules], evaluation_interval: '15s', tests };
    await promtool('test', 'rules', folder.write('tests.yaml', stringify(asked, { lineWidth: 0 })));
  } finally {
    folder.remove();
  }
}
