import { datasource } from './datasource.ts';
import type { Annotation } from './schema.ts';

export type AnnotationOptions = {
  readonly name: string;
  readonly expr: string;
  /** Such as `{{run}} started`. */
  readonly title: string;
  readonly color: string;
  /** at: the value is the moment, in milliseconds. while: it happens as long as there is a value above 0. */
  readonly when: 'at' | 'while';
};

/** Marks moments on all panels with a time axis. */
export function annotation({ name, expr, title, color, when }: AnnotationOptions): Annotation {
  return {
    name,
    datasource,
    enable: true,
    hide: false,
    iconColor: color,
    expr,
    titleFormat: title,
    textFormat: '{{namespace}}/{{experiment}}',
    tagKeys: '',
    step: '30s',
    useValueForTime: when === 'at',
  };
}
