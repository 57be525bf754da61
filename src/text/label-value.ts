import { shown } from './shown.ts';

/** A text as it stands between the quotes of a label, in Prometheus' text format 0.0.4. */
export function labelValue(text: string): string {
  return shown(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
