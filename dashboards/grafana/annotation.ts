import { datasource } from './datasource.ts';
import type { Annotation } from './schema.ts';

export type AnnotationOptions = {
  readonly name: string;
  /** It happens as long as this has a value. */
  readonly expr: string;
  /** Such as `{{run}} started`. */
  readonly title: string;
  readonly color: string;
};

/** Marks moments on all panels with a time axis, for those who switch it on. */
export function annotation({ name, expr, title, color }: AnnotationOptions): Annotation {
  return {
    name,
    datasource,
    enable: false,
    hide: false,
    iconColor: color,
    expr,
    titleFormat: title,
    textFormat: '{{namespace}}/{{experiment}}',
    tagKeys: '',
    step: '60s',
    useValueForTime: false,
  };
}
