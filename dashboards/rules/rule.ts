export type Severity = 'critical' | 'warning' | 'info';

export type AlertRule = {
  /** In CamelCase; also the name of its page in docs/runbooks. */
  readonly alert: `DestillML${string}`;
  readonly expr: string;
  /** How long it has to be so, such as `15m`. */
  readonly for: string;
  readonly severity: Severity;
  /** In one line, with `{{ $labels.run }}` and the like. */
  readonly summary: string;
  /** What is seen, and what follows from it. */
  readonly description: string;
};
