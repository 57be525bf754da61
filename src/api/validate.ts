import type { z } from 'zod';
import { DestillError } from '../errors.ts';
import { allowedText } from './allowed.ts';
import { experimentSchema, runSchema } from './crd.ts';
import { withDefaults, withoutNulls } from './defaults.ts';
import { type Experiment, experiment } from './experiment.ts';
import { fieldText, notAllowed, type Path, type Problem, valueAt } from './problem.ts';
import { RuleChecker } from './rule-check.ts';
import { type Run, run } from './run.ts';
import type { Structural } from './schema.ts';
import { nearest } from './suggest.ts';

/** An Experiment with its defaults. @throws DestillError InvalidSpec that lists every problem, one a line */
export function parseExperiment(input: unknown): Experiment {
  return accepted(experiments.check(input));
}

/** A Run with its defaults. @throws DestillError InvalidSpec that lists every problem, one a line */
export function parseRun(input: unknown): Run {
  return accepted(runs.check(input));
}

/** Everything that is wrong with an Experiment; empty if it may be applied. */
export function validateExperiment(input: unknown): Problem[] {
  return experiments.check(input).problems;
}

/** Everything that is wrong with a Run; empty if it may be applied. */
export function validateRun(input: unknown): Problem[] {
  return runs.check(input).problems;
}

/** Everything that is wrong with putting `next` in the place of `old`, which may be edited only in part. */
export function validateUpdate(old: Experiment | Run, next: unknown): Problem[] {
  return old.kind === 'Experiment' ? experiments.check(next, old).problems : runs.check(next, old).problems;
}

type Checked<T> = { readonly problems: Problem[]; readonly value: T | undefined };

/** One kind of object: its types and ranges are checked by zod, everything between fields by its rules. */
class Kind<T> {
  readonly #types: z.ZodType<T>;
  readonly #schema: Structural;
  readonly #rules: RuleChecker;

  constructor(types: z.ZodType<T>, schema: Structural) {
    this.#types = types;
    this.#schema = schema;
    this.#rules = new RuleChecker(schema);
  }

  check(input: unknown, old?: T): Checked<T> {
    const document = withoutNulls(input);
    const parsed = this.#types.safeParse(document);
    const issues = parsed.error?.issues ?? [];
    const value = parsed.success ? parsed.data : withDefaults(this.#schema, document);
    const problems = [
      ...issues.flatMap((issue) => issueProblems(issue, document, this.#schema)),
      ...this.#rules.check({
        value,
        given: document,
        old: old === undefined ? undefined : { value: old },
        broken: issues.map(issuePath),
      }),
    ];
    return { problems, value: parsed.data };
  }
}

const experiments = new Kind(experiment, experimentSchema);
const runs = new Kind(run, runSchema);

function accepted<T>({ problems, value }: Checked<T>): T {
  if (problems.length > 0 || value === undefined) {
    throw new DestillError(
      'InvalidSpec',
      problems.map(({ field, message }) => `${field}: ${message}`).join('\n'),
    );
  }
  return value;
}

function issuePath(issue: z.core.$ZodIssue): Path {
  return issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
}

function issueProblems(issue: z.core.$ZodIssue, document: unknown, root: Structural): Problem[] {
  const path = issuePath(issue);
  const schema = schemaAt(root, path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldText([...path, key]),
      message: unknownField(key, schema),
    }));
  }
  const value = valueAt(document, path);
  // Every pattern in the schema says in words what it stands for.
  const allowed =
    issue.code === 'invalid_format' || schema === undefined ? issue.message : allowedText(schema);
  const meant = typeof value === 'string' ? nearest(value, schema?.enum ?? []) : undefined;
  return [
    {
      field: fieldText(path),
      message: notAllowed(value, allowed) + (meant ? `; did you mean ${meant}?` : ''),
    },
  ];
}

function unknownField(key: string, schema: Structural | undefined): string {
  const known = Object.keys(schema?.properties ?? {});
  const meant = nearest(key, known) ?? nearest(key, fieldsBelow(schema));
  if (meant !== undefined) return `unknown field; did you mean ${meant}?`;
  return known.length === 0
    ? 'unknown field; none is known here'
    : `unknown field; known are ${known.join(', ')}`;
}

/** Paths of the fields inside of the object's fields, where a misplaced one may belong. */
function fieldsBelow(schema: Structural | undefined): string[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, child]) =>
    [...Object.keys(child.properties ?? {}), ...fieldsBelow(child)].map((path) => `${name}.${path}`),
  );
}

function schemaAt(root: Structural, path: Path): Structural | undefined {
  return path.reduce<Structural | undefined>(
    (schema, key) =>
      typeof key === 'number' ? schema?.items : (schema?.properties?.[key] ?? schema?.additionalProperties),
    root,
  );
}
