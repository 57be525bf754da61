/** What is written is held against parsers that others made: Python's expat and html.parser, Chromium's DOMParser. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../../src/report/html.ts';
import { markup } from '../../../src/text/markup.ts';
import { shownLines } from '../../../src/text/shown.ts';
import { startChromium } from '../../chromium.ts';
import { hostileNames, plainNames } from './hostile.ts';

const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0xff })))
  .map((units) => String.fromCharCode(...units));
const texts = [...hostileNames, ...plainNames, ...fc.sample(anyText, { numRuns: 500, seed: 12 })];

/** Reads documents, gives the content of the element and of its attribute as each parser understood them. */
const python = `
import json, sys
import xml.etree.ElementTree as tree
from html.parser import HTMLParser

class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = ['', '']
    def handle_starttag(self, tag, attributes):
        self.found[1] += dict(attributes)['title']
    def handle_data(self, data):
        self.found[0] += data

def of_html(document):
    reader = Reader()
    reader.feed(document)
    reader.close()
    return reader.found

def of_xml(document):
    element = tree.fromstring(document.encode('utf-8'))
    return [element.text or '', element.get('title')]

documents = json.load(sys.stdin)
json.dump([[of_xml(d), of_html(d)] for d in documents], sys.stdout)
`;

describe('markup', () => {
  const documents = texts.map((text) => `<b title="${markup(text)}">${markup(text)}</b>`);

  it('is read as what people are shown by expat and by html.parser', () => {
    const answer = execFileSync('python3', ['-c', python], { input: JSON.stringify(documents) });
    const read: unknown = JSON.parse(answer.toString());
    const expected = texts.map((text) => {
      const whole = shownLines(text);
      // XML takes line ends and tabs in attributes as spaces.
      return [
        [whole, whole.replaceAll(/[\n\t]/g, ' ')],
        [whole, whole],
      ];
    });
    expect(read).toEqual(expected);
  });

  it('is read so by Chromium, as HTML and as XML', async () => {
    const browser = await startChromium();
    const page = await browser.newPage();
    const read = await page.evaluate((all: readonly string[]) => {
      // biome-ignore lint/suspicious/noExplicitAny: a browser's own, of which this project has no types
      const Parser = (globalThis as any).DOMParser;
      return all.map((document) =>
        ['text/html', 'application/xhtml+xml'].map((type) => {
          const element = new Parser().parseFromString(document, type).querySelector('b');
          return [element?.textContent, element?.getAttribute('title')];
        }),
      );
    }, documents);
    const expected = texts.map((text) => {
      const whole = shownLines(text);
      return [
        [whole, whole],
        [whole, whole.replaceAll(/[\n\t]/g, ' ')],
      ];
    });
    expect(read).toEqual(expected);
  });

  it('is what a page has of every text', () => {
    for (const text of texts)
      expect(html`<b title="${text}">${text}</b>`.text).toBe(
        `<b title="${markup(text)}">${markup(text)}</b>`,
      );
  });
});
