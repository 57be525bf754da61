/** Of the page: dark text on white, one column on a telephone, and paper. */
export const style = `
:root { color-scheme: light; --ink: #1a1a1a; --faint: #595959; --rule: #d4d4d4; --tint: #f4f6f8; --accent: #0072b2; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: #fff; color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
h1 { font-size: 2rem; margin: 0 0 4px; }
h2 { font-size: 1.4rem; margin: 48px 0 12px; padding-top: 16px; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 28px 0 4px; }
p { max-width: 75ch; margin: 8px 0; overflow-wrap: anywhere; }
.note, .subtitle { color: var(--faint); font-size: 0.9rem; }
.subtitle { font-size: 1rem; margin: 0; }
.answer { background: var(--tint); border-left: 4px solid var(--accent); padding: 8px 16px; margin: 16px 0; }
.warning { background: #fff4e0; border-left: 4px solid #a87400; padding: 8px 16px; margin: 16px 0; overflow-wrap: anywhere; }
.warning ul { margin: 4px 0; }
dl { margin: 16px 0; }
dl > div { display: grid; grid-template-columns: 8rem 1fr; gap: 4px 16px; padding: 6px 0; border-bottom: 1px solid var(--rule); }
dt { font-weight: 600; }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
dd ul { margin: 0; padding: 0; list-style: none; }
.scroll { overflow-x: auto; margin: 12px 0; position: relative; }
.scroll:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; min-width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 4px 0 8px; }
caption span { position: sticky; left: 0; display: inline-block; max-width: calc(100vw - 24px); }
.nowrap { white-space: nowrap; }
th, td { padding: 6px 8px; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; font-size: 0.9rem; white-space: normal; }
tbody th { font-weight: 500; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 600; }
.left { text-align: left; }
.right { text-align: right; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 12px 0; padding: 0; font-size: 0.95rem; }
.legend li { display: flex; align-items: center; gap: 8px; overflow-wrap: anywhere; }
.swatch { width: 44px; height: 16px; flex: none; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 20px 32px; }
figure { margin: 0; min-width: 0; }
.wide { margin: 20px 0; }
.wide svg { min-width: var(--least); }
.chart figcaption { font-weight: 600; margin-bottom: 4px; }
.chart svg { display: block; width: 100%; height: auto; }
svg text { font: 13px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; fill: var(--ink); }
.axes text { fill: #444; }
.axes .name { fill: var(--ink); font-weight: 600; }
.halo { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round; }
.grid { stroke: #e4e4e4; }
.axis, .tick { stroke: #767676; }
.bar { stroke-width: 1.6; }
.explained { display: grid; gap: 32px; margin-top: 24px; }
.explained img { display: block; width: 100%; min-width: 620px; max-width: 1080px; height: auto; }
.explained figcaption { font-size: 0.95rem; max-width: 90ch; overflow-wrap: anywhere; }
pre { background: var(--tint); padding: 16px; font: 0.85rem/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
footer { color: var(--faint); font-size: 0.9rem; margin-top: 48px; }
@media (max-width: 600px) {
  main { padding: 20px 12px 40px; }
  dl > div { grid-template-columns: 1fr; gap: 0; }
  h1 { font-size: 1.6rem; }
  th[scope='row'] { white-space: normal; overflow-wrap: anywhere; min-width: 7.5rem; position: sticky; left: 0; background: #fff; }
}
@page { margin: 14mm; }
@media print {
  html { font-size: 10pt; }
  body { font-size: 1rem; }
  main { max-width: none; padding: 0; }
  h2 { margin-top: 20pt; }
  h2, h3, caption, .legend { break-after: avoid; }
  tr, figure, .answer, dl > div { break-inside: avoid; }
  .scroll { overflow: visible; }
  .charts { grid-template-columns: 1fr 1fr; gap: 8pt 16pt; }
  th, td { padding: 3pt 4pt; }
  table { font-size: 8pt; }
  thead th { font-size: 1em; }
  tbody .left { white-space: normal; overflow-wrap: anywhere; min-width: 5rem; }
  th[scope='row'] { position: static; }
  .explained img, .wide svg { min-width: 0; }
  pre { white-space: pre-wrap; font-size: 8pt; }
  .answer, .warning, pre { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
