import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../../src/report/html.ts';

describe('html', () => {
  it('escapes text in elements and in attributes, and what a template made only once', () => {
    const inner = html`<b title="${`"'`}">${'<&>'}</b>`;
    expect(html`<p>${inner}${['a<b', html`<br>`]}${3}${undefined}</p>`.text).toBe(
      '<p><b title="&quot;&#39;">&lt;&amp;&gt;</b>a&lt;b<br>3</p>',
    );
  });

  it('shows what no page may hold, and keeps line ends and tabs', () => {
    expect(html`${'\u001b[31m\u0000\t\r\né\ud800'}`.text).toBe('\\u001b[31m\\u0000\t\\u000d\né\\ud800');
  });

  it('lets no text begin or end an element, an attribute or an entity', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { text: written } = html`${text}`;
        expect(written).not.toMatch(/[<>"']/);
        expect(written.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });
});
