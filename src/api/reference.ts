import { allowedText } from './allowed.ts';
import { withDefaults } from './defaults.ts';
import { rulesKey } from './rules.ts';
import type { Structural } from './schema.ts';

type Kind = { readonly name: string; readonly schema: Structural };

/** An object with fields, at its place in a kind; it is described once, wherever it is used. */
type Section = {
  readonly kind: string;
  readonly path: string;
  readonly schema: Structural;
  readonly anchor: string;
};

/** The reference page in Markdown: every object with its fields, and the rules between them. */
export function referencePage(kinds: readonly Kind[]): string {
  const all = kinds.flatMap(({ name, schema }) =>
    ['spec', 'status'].flatMap((part) => sections(name, part, schema.properties?.[part] ?? {})),
  );
  // The first of equal objects is the one that is described: in a map the last entry of a key stands.
  const anchors = new Map(
    all.map(({ schema, anchor }): [string, string] => [fieldsOf(schema), anchor]).reverse(),
  );
  return [
    '# Reference of the spec',
    '',
    '<!-- Generated from src/api by `node scripts/generate.ts`. -->',
    '',
    'Everything that an `Experiment` and a `Run` may hold. The API server and `destill` check the same types, ranges and rules.',
    'A field without a default may be left out, unless it says **required**.',
    '',
    ...kinds.flatMap(({ name, schema }) => [
      `## ${name}`,
      '',
      `${schema.description ?? ''} It begins with \`apiVersion: ${schema.properties?.apiVersion?.enum?.[0]}\`, \`kind: ${name}\` and \`metadata.name\`.`,
      '',
      ...all
        .filter(({ kind, schema, anchor }) => kind === name && anchors.get(fieldsOf(schema)) === anchor)
        .flatMap((section) => sectionLines(section, anchors)),
    ]),
  ].join('\n');
}

/** An object, then the objects in it. */
function sections(kind: string, path: string, schema: Structural): Section[] {
  if (schema.items !== undefined) return sections(kind, `${path}[]`, schema.items);
  if (!hasFields(schema)) return [];
  const anchor = `${kind}-${path}`.toLowerCase().replaceAll('[]', '').replaceAll('.', '-');
  const nested = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    sections(kind, `${path}.${name}`, field),
  );
  return [{ kind, path, schema, anchor }, ...nested];
}

function sectionLines(
  { kind, path, schema, anchor }: Section,
  anchors: ReadonlyMap<string, string>,
): string[] {
  const required = new Set(schema.required ?? []);
  return [
    `<a id="${anchor}"></a>`,
    '',
    `### ${kind}: \`${path}\``,
    '',
    ...(schema.description === undefined ? [] : [schema.description, '']),
    '| Field | Type | Default | Allowed | |',
    '|---|---|---|---|---|',
    ...Object.entries(schema.properties ?? {}).map(([name, field]) =>
      rowLine([
        `\`${name}\``,
        typeText(field, anchors),
        required.has(name) ? '**required**' : defaultText(field),
        limitsText(field),
        field.description ?? '',
      ]),
    ),
    '',
    ...ruleLines(schema),
  ];
}

function rowLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeText(field: Structural, anchors: ReadonlyMap<string, string>): string {
  if (field['x-kubernetes-int-or-string']) return 'integer or string';
  if (field.items !== undefined) return `list of ${typeText(field.items, anchors)}`;
  if (field.additionalProperties !== undefined)
    return `map of ${typeText(field.additionalProperties, anchors)}`;
  const anchor = anchors.get(fieldsOf(field));
  return anchor === undefined ? (field.type ?? '') : `[object](#${anchor})`;
}

function defaultText(field: Structural): string {
  if (field.default === undefined) return '';
  const text = JSON.stringify(field.default);
  const isSumOfItsFields =
    hasFields(field) && text !== '{}' && text === JSON.stringify(withDefaults(field, {}));
  return isSumOfItsFields ? 'that of its fields' : `\`${text}\``;
}

function limitsText(field: Structural): string {
  if (field.pattern !== undefined) return `${allowedText(field)}, \`${field.pattern}\``;
  if (field.type === 'boolean' || hasFields(field)) return '';
  if (field.items === undefined || hasFields(field.items)) return allowedText(field);
  return `${allowedText(field)}, each ${allowedText(field.items)}`;
}

function ruleLines(schema: Structural): string[] {
  const rules = schema[rulesKey] ?? [];
  if (rules.length === 0) return [];
  return [
    'Rules:',
    '',
    ...rules.map(({ fieldPath, message }) =>
      fieldPath === undefined ? `- ${message}` : `- \`${fieldPath.slice(1)}\`: ${message}`,
    ),
    '',
  ];
}

/** What makes two objects the same to a reader. */
function fieldsOf(schema: Structural): string {
  return JSON.stringify(schema.properties);
}

function hasFields(schema: Structural): boolean {
  return Object.keys(schema.properties ?? {}).length > 0;
}
