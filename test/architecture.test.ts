/** What docs/architecture.md says of the tree, held against every import. */
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
/** What every folder may know. */
const knownToAll = 'src/errors.ts';

const table = readTable(readFileSync(join(root, 'docs/architecture.md'), 'utf8'));
const files = globSync('{src,trainer-image,operator,cli,dashboards}/**/*.ts', {
  cwd: root,
  exclude: ['**/node_modules'],
});
const imports = new Map(files.map((file) => [file, importedBy(file)]));

describe('the table of docs/architecture.md', () => {
  test('has a row for every file', () => {
    expect(files.length).toBeGreaterThan(400);
    expect(files.filter((file) => file !== knownToAll && rowOf(file) === undefined)).toEqual([]);
    expect([...table.keys()].filter((row) => !files.some((file) => rowOf(file) === row))).toEqual([]);
  });

  test('lets every folder know only folders above it', () => {
    const rows = [...table.keys()];
    for (const [row, known] of table) {
      const above = rows.slice(0, rows.indexOf(row));
      expect(
        [...known].filter((name) => !above.includes(name)),
        row,
      ).toEqual([]);
    }
  });

  test.each([...table.keys()])('names what %s imports from, and nothing else', (row) => {
    const found = new Map<string, string>();
    for (const [file, imported] of imports) {
      if (rowOf(file) !== row) continue;
      for (const other of imported) {
        const known = rowOf(other);
        if (known !== undefined && known !== row) found.set(known, `${file} imports ${other}`);
      }
    }
    const named = table.get(row) ?? new Set();
    const arrows = [...found].filter(([known]) => !named.has(known)).map(([, arrow]) => arrow);
    expect(arrows, 'imports that the table does not allow').toEqual([]);
    expect(
      [...named].filter((known) => !found.has(known)),
      'named, but not imported from',
    ).toEqual([]);
  });
});

test('no files import each other in a circle, not even for a type', () => {
  expect(circles(imports)).toEqual([]);
});

test('circles are found, whatever else there is', () => {
  const graph = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: [], f: ['a', 'f'] };
  expect(circles(new Map(Object.entries(graph)))).toEqual([['a', 'b', 'c'], ['f']]);
});

/** For each row's folder, those that its last cell names. */
function readTable(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.map((line) => {
      const cells = line.split('|').slice(1, -1);
      const [folder = ''] = codeIn(cells[0] ?? '');
      const [beside] = folder.split('/');
      const known = codeIn(cells.at(-1) ?? '').map((name) =>
        name.includes('/') ? name : `${beside}/${name}`,
      );
      return [folder, new Set(known)];
    }),
  );
}

/** What is in backquotes; `a/{b,c}` is two. */
function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => {
    const [, before, names, after] = /^(.*)\{(.+)\}(.*)$/.exec(code) ?? [];
    return names === undefined ? [code] : names.split(',').map((name) => `${before}${name}${after}`);
  });
}

/** The row of the innermost folder around a file that has one. */
function rowOf(file: string): string | undefined {
  if (file === knownToAll) return undefined;
  const parts = file.split('/');
  for (let length = parts.length - 1; length > 0; length--) {
    const folder = parts.slice(0, length).join('/');
    if (table.has(folder)) return folder;
  }
  return undefined;
}

/** Files of ours that a file imports: statically, dynamically or for a type. */
function importedBy(file: string): string[] {
  const path = join(root, file);
  const source = readFileSync(path, 'utf8');
  const { program, module, errors } = parseSync(path, source);
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0]?.message}`);
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => (moduleRequest ? [moduleRequest.value] : [])),
    ),
  ];
  const literal = (node: { readonly type: string; readonly value?: unknown } | undefined) => {
    if (node?.type === 'Literal' && typeof node.value === 'string') specifiers.push(node.value);
  };
  new Visitor({
    ImportExpression: ({ source }) => literal(source),
    TSImportType: ({ source }) => literal(source),
  }).visit(program);
  const resolve = createRequire(path).resolve;
  return specifiers
    .filter((specifier) => specifier.startsWith('.') || specifier.startsWith('@destillml/'))
    .map((specifier) => relative(root, resolve(specifier)))
    .filter((imported) => imported.endsWith('.ts'));
}

/** Files that reach themselves, in groups that reach each other: Tarjan's strongly connected components. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    order.set(file, order.size);
    let low = order.size - 1;
    open.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, order.get(next) ?? low);
    }
    if (low === order.get(file)) {
      const group = open.splice(open.indexOf(file));
      if (group.length > 1 || graph.get(file)?.includes(file)) found.push(group.sort());
    }
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found.sort();
}
