import { stringify } from 'yaml';
import { alerts } from './alerts.ts';

/** Where the page of each alert is in this repository. The chart makes an address of it where the pages are published. */
const runbooks = 'docs/runbooks';

/** Rules as Prometheus reads them; a PrometheusRule holds the same in its spec. */
export function rulesFile(): string {
  const groups = [
    {
      name: 'destillml-alerts',
      rules: alerts.map(({ alert, expr, for: time, severity, summary, description }) => ({
        alert,
        expr,
        for: time,
        labels: { severity },
        annotations: { summary, description, runbook: `${runbooks}/${alert}.md` },
      })),
    },
  ];
  return stringify({ groups }, { lineWidth: 0 });
}
