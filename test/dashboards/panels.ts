import { type DashboardJson, isRow, type PlacedPanel } from '../../dashboards/grafana/schema.ts';

/** All panels of a dashboard, also those in closed rows. */
export function panelsIn(dashboard: DashboardJson): readonly PlacedPanel[] {
  return dashboard.panels.flatMap((panel) => (isRow(panel) ? panel.panels : [panel]));
}
