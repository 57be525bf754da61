/**
 * What Grafana reads, by the types of its own SDK: the compiler refuses what is not of its schema.
 *
 * They are those of Grafana 10.1, the oldest that the SDK has: what later ones no longer know, they migrate. The enums
 * are taken as the texts and numbers that they stand for, which is what JSON holds.
 */

import type * as barChart from '@grafana/grafana-foundation-sdk/barchart';
import type { GraphFieldConfig, TableFieldOptions } from '@grafana/grafana-foundation-sdk/common';
import type {
  AnnotationQuery,
  Dashboard,
  DataTransformerConfig,
  FieldConfigSource,
  GridPos,
  Panel,
  RowPanel,
  FieldConfig as SdkFieldConfig,
  VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import type { dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type * as stat from '@grafana/grafana-foundation-sdk/stat';
import type * as stateTimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import type * as table from '@grafana/grafana-foundation-sdk/table';
import type * as text from '@grafana/grafana-foundation-sdk/text';
import type * as timeSeries from '@grafana/grafana-foundation-sdk/timeseries';
import type * as xyChart from '@grafana/grafana-foundation-sdk/xychart';

/** T as JSON: enums by value, no functions. */
type Json<T> = T extends string
  ? `${T}`
  : T extends number
    ? NumberOf<T>
    : T extends readonly (infer Item)[]
      ? readonly Json<Item>[]
      : T extends object
        ? { readonly [Key in keyof T as T[Key] extends Method ? never : Key]: Json<T[Key]> }
        : T;
type NumberOf<T extends number> = number extends T
  ? T
  : `${T}` extends `${infer N extends number}`
    ? N
    : never;
type Method = (...args: never[]) => unknown;

/** Where a click leads. The SDK has only the links of dashboards for it, which ask for more. */
export type DataLink = { readonly title: string; readonly url: string; readonly targetBlank?: boolean };

export type FieldConfig = Omit<Json<SdkFieldConfig>, 'links'> & { readonly links?: readonly DataLink[] };

/** Settings of the columns or series of that name. */
export type Override = {
  readonly field: string | RegExp;
  readonly properties: Readonly<Record<string, unknown>>;
};

export type Transformation = Json<DataTransformerConfig>;
export type Target = Json<dataquery>;

/** The kinds of panels there are here, with what is of each kind alone. */
export type Kind =
  | KindOf<'stat', stat.Options, object>
  | KindOf<'timeseries', timeSeries.Options, GraphFieldConfig>
  | KindOf<'table', table.Options, TableFieldOptions>
  | KindOf<'barchart', barChart.Options, barChart.FieldConfig>
  | KindOf<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | KindOf<'state-timeline', stateTimeline.Options, stateTimeline.FieldConfig>
  | KindOf<'text', text.Options, object>
  | KindOf<'xychart', xyChart.Options, xyChart.FieldConfig>;

type KindOf<Type extends string, Options, Custom> = {
  readonly type: Type;
  readonly options: Json<Options>;
  readonly custom: Json<Custom>;
} & Pick<FieldConfig, 'color' | 'mappings'>;

export type PanelJson = Omit<Json<Panel>, 'targets' | 'fieldConfig' | 'id' | 'gridPos'> & {
  readonly title: string;
  readonly description: string;
  readonly targets: readonly Target[];
  readonly fieldConfig: {
    readonly defaults: FieldConfig;
    readonly overrides: Json<FieldConfigSource>['overrides'];
  };
};

export type PlacedPanel = PanelJson & { readonly id: number; readonly gridPos: Json<GridPos> };

export type RowJson = Omit<Json<RowPanel>, 'panels'> & {
  readonly gridPos: Json<GridPos>;
  readonly panels: readonly PlacedPanel[];
};

export type Variable = Json<VariableModel>;

/** useValueForTime is the Prometheus data source's own, and on none of the SDK's lists. */
export type Annotation = Json<AnnotationQuery> & {
  readonly titleFormat: string;
  readonly textFormat: string;
  readonly tagKeys: string;
  readonly step: string;
  readonly useValueForTime: boolean;
};

/** Whether it is the heading of a row, which holds its panels itself while it is closed. */
export function isRow(panel: PlacedPanel | RowJson): panel is RowJson {
  return panel.type === 'row';
}

export type DashboardJson = Omit<Json<Dashboard>, 'panels'> & {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly (PlacedPanel | RowJson)[];
};
