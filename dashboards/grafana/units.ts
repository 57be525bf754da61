/** Grafana's names of units. Counts are "short": 1.2 K, 3 M. */
export type Unit = 'short' | 'percentunit' | 's' | 'h' | 'bytes' | 'none' | 'ops' | 'reqps' | 'percent';
