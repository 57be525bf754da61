import grafana from 'grafana-dash-gen';
import { datasource } from './datasource.ts';
import { type Query, targets } from './query.ts';
import type { FieldConfig, Kind, Override, PanelJson, Transformation } from './schema.ts';
import type { Unit } from './units.ts';

/** What is shown from this value on, in which colour. */
export type Threshold = { readonly from: number; readonly color: string };

export type PanelOptions = {
  readonly title: string;
  /** What is seen, and what to make of it. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Columns of 24. */
  readonly width: number;
  /** In units of Grafana's grid, 30 px; 8 unless it is told. */
  readonly height?: number;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly thresholds?: readonly Threshold[];
  /** Shown in place of nothing. */
  readonly noValue?: string;
  readonly overrides?: readonly Override[];
  readonly transformations?: readonly Transformation[];
};

/**
 * A panel of a kind that Grafana draws today, in place of those of grafana-dash-gen, which it no longer has.
 *
 * Their base is kept so that rows and dashboards take it.
 */
export abstract class Panel extends grafana.Panels.Graph {
  readonly given: PanelOptions;

  constructor(given: PanelOptions) {
    super({ title: given.title });
    this.given = given;
  }

  protected abstract kind(): Kind;

  /** Without its number and its place, which the dashboard gives. */
  json(): PanelJson {
    const { title, description, queries, overrides = [], transformations = [] } = this.given;
    const { type, options, ...field } = this.kind();
    return {
      type,
      title,
      description,
      transparent: false,
      datasource,
      targets: targets(queries),
      fieldConfig: {
        defaults: { ...this.#defaults(), ...field },
        overrides: overrides.map(({ field: name, properties }) => ({
          matcher:
            typeof name === 'string'
              ? { id: 'byName', options: name }
              : { id: 'byRegexp', options: `${name}` },
          properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
        })),
      },
      options,
      transformations,
    };
  }

  #defaults(): FieldConfig {
    const { unit, decimals, min, max, noValue, thresholds } = this.given;
    return {
      unit,
      ...(decimals === undefined ? {} : { decimals }),
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      ...(noValue === undefined ? {} : { noValue }),
      ...(thresholds === undefined ? {} : { thresholds: thresholdsJson(thresholds) }),
    };
  }
}

export function thresholdsJson(thresholds: readonly Threshold[]) {
  return {
    mode: 'absolute' as const,
    // The first colour is that of all that is below: JSON has no minus infinity.
    steps: thresholds.map(({ from, color }, index) => ({ value: index === 0 ? null : from, color })),
  };
}
