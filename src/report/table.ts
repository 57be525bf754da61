import { type Content, type Html, html } from './html.ts';

export interface Column<Row> {
  readonly title: string;
  /** Text and names stand left (default), numbers right. */
  readonly align?: 'left' | 'right';
  readonly cell: (row: Row) => Content;
}

/**
 * A table that scrolls on its own where it is wider than the page; the first column names the row.
 *
 * @param total a last row, set apart.
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  total?: Row,
): Html {
  const head = columns.map(
    ({ title, align = 'left' }) => html`<th scope="col" class="${align}">${title}</th>`,
  );
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption><span>${caption}</span></caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.map((row) => line(columns, row))}</tbody>
${total === undefined ? undefined : html`<tfoot>${line(columns, total)}</tfoot>`}</table></div>
`;
}

function line<Row>(columns: readonly Column<Row>[], row: Row): Html {
  const cells = columns.map(({ align = 'left', cell }, index) =>
    index === 0
      ? html`<th scope="row" class="${align}">${cell(row)}</th>`
      : html`<td class="${align}">${cell(row)}</td>`,
  );
  return html`<tr>${cells}</tr>
`;
}
