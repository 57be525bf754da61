import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { experimentReport } from '../../../src/report/report.ts';
import { startChromium } from '../../chromium.ts';
import { hostile, hostileInput, reportInput, searchInput } from './made.ts';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'destill-test-'));
  writeFileSync(join(folder, 'report.html'), experimentReport(reportInput()));
  writeFileSync(join(folder, 'search.html'), experimentReport(searchInput()));
  writeFileSync(join(folder, 'hostile.html'), experimentReport(hostileInput()));
  browser = await startChromium();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The page, without network; `said` collects what the console, dialogs, errors and requests come to. */
async function open(
  name: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; said: string[] }> {
  const context = await browser.newContext({ offline: true, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const said: string[] = [];
  page.on('console', (message) => said.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`error: ${error.message}`));
  page.on('requestfailed', (request) => said.push(`failed: ${request.url()}`));
  page.on('dialog', (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  await page.goto(pathToFileURL(join(folder, name)).href);
  return { page, said };
}

const at = (width: number) => ({ viewport: { width, height: 900 } });

/** Pages that a PDF has, by its objects. */
function pagesOf(pdf: Buffer): number {
  return pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
}

describe('report.html in Chromium', () => {
  it.each([
    ['report.html', 1280],
    ['report.html', 390],
    ['search.html', 1280],
    ['search.html', 390],
    ['hostile.html', 1280],
    ['hostile.html', 390],
  ])(
    '%s is as wide as a window of %i px, wide tables scroll on their own, nothing is cut off',
    async (name, width) => {
      const { page, said } = await open(name, at(width));
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const outside = await page
        .locator('main *:not(.scroll *)')
        .evaluateAll(
          (elements, edge) =>
            elements
              .filter((element) => element.getBoundingClientRect().right > edge)
              .map(({ outerHTML }) => outerHTML.slice(0, 80)),
          width + 1,
        );
      expect(outside).toEqual([]);
      expect(said).toEqual([]);
    },
  );

  it('shows charts side by side on a desk and one below the other on a telephone', async () => {
    const tops = async (width: number) => {
      const { page } = await open('report.html', at(width));
      const boxes = await Promise.all(
        (await page.locator('.chart').all()).map((chart) => chart.boundingBox()),
      );
      return boxes.map((box) => box?.y ?? Number.NaN);
    };
    const [first, second] = await tops(1280);
    expect(first).toBe(second);
    const stacked = await tops(390);
    expect(stacked).toHaveLength(6);
    expect(stacked).toEqual([...new Set(stacked)].sort((a, b) => a - b));
  });

  it.each([
    ['report.html', 1280],
    ['report.html', 390],
    ['search.html', 1280],
    ['search.html', 390],
  ])('%s has no fault that axe knows of, at %i px', async (name, width) => {
    const { page } = await open(name, { ...at(width), bypassCSP: true });
    await page.evaluate(axe.source);
    const found = await page.evaluate<{ id: string; nodes: string[] }[]>(
      'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })))',
    );
    expect(found).toEqual([]);
  });

  it('names its pictures, tables and parts for those who listen', async () => {
    const { page } = await open('report.html');
    const count = (role: 'img' | 'table' | 'region' | 'rowheader', name: string | RegExp) =>
      page.getByRole(role, { name }).count();
    expect(await count('img', 'Validation accuracy')).toBe(1);
    expect(await count('img', 'Test accuracy against parameters')).toBe(1);
    expect(await count('img', /^Maps of what teacher, soft look at in test image 5/)).toBe(1);
    expect(await count('table', /^Accuracy of every network and technique/)).toBe(1);
    expect(await count('region', 'What was asked')).toBe(1);
    expect(await count('rowheader', 'attention')).toBeGreaterThan(0);
    expect(await page.getByRole('img').count()).toBe(7);
  });

  it('is the same without scripts', async () => {
    const { page } = await open('report.html', { javaScriptEnabled: false });
    expect(await page.getByRole('cell', { name: '84.5 ± 2.1 %' }).first().isVisible()).toBe(true);
    expect(await page.locator('.chart svg').first().isVisible()).toBe(true);
  });

  it.each([
    ['report.html', 12],
    ['search.html', 20],
  ])('%s prints: several pages, fewer than %i, of which none needs scrolling', async (name, most) => {
    const { page } = await open(name, { viewport: { width: 794, height: 1123 } });
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pagesOf(pdf)).toBeGreaterThan(2);
    expect(pagesOf(pdf)).toBeLessThan(most);
    await page.emulateMedia({ media: 'print' });
    // What is printable of A4: 182 mm.
    await page.setViewportSize({ width: 688, height: 1017 });
    const wide = await page
      .locator('.scroll')
      .evaluateAll((elements) =>
        elements
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
          .map((element) => element.getAttribute('aria-label')),
      );
    expect(wide).toEqual([]);
  });

  it('shows hostile names as text and runs nothing of them, though scripts were allowed', async () => {
    const { page, said } = await open('hostile.html', { bypassCSP: true });
    const shown = hostile.replace('\u0007', '\\u0007');
    expect(await page.locator('h1').textContent()).toBe(shown);
    expect(await page.title()).toBe(`${shown}: knowledge distillation`);
    expect(await page.locator('script').count()).toBe(0);
    expect(await page.locator('img').count()).toBe(1);
    expect(said).toEqual([]);
    expect(readFileSync(join(folder, 'hostile.html'), 'utf8')).not.toContain('<script');
  });
});
