/**
 * Grafana's names of units. Counts are "short": 1.2 K, 3 M. Durations are "dtdhms", 2 d 01:23:20, where they are read and
 * "s" on axes, and "dateTimeFromNow" is a moment in milliseconds: 8 hours ago.
 */
export type Unit =
  | 'short'
  | 'percentunit'
  | 's'
  | 'h'
  | 'dtdhms'
  | 'bytes'
  | 'none'
  | 'string'
  | 'ops'
  | 'reqps'
  | 'percent'
  | 'watt'
  | 'hertz'
  | 'celsius';
