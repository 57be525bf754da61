import { stringify } from 'yaml';
import { alerts } from './alerts.ts';
import { recordings } from './recordings.ts';

/** Where pages of docs/runbooks are published; the chart puts an address of the reader's own in its place. */
export const runbooks = 'https://destillml.io/runbooks';

/** Rules as Prometheus reads them; a PrometheusRule holds the same in its spec. */
export function rulesFile(): string {
  const groups = [
    {
      name: 'destillml-recordings',
      rules: recordings.map(({ record, expr }) => ({ record, expr })),
    },
    {
      name: 'destillml-alerts',
      rules: alerts.map(({ alert, expr, for: time, severity, summary, description }) => ({
        alert,
        expr,
        for: time,
        labels: { severity },
        annotations: { summary, description, runbook_url: `${runbooks}/${alert}` },
      })),
    },
  ];
  return stringify({ groups }, { lineWidth: 0 });
}
