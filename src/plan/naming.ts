import { hash } from 'node:crypto';
import type { Experiment } from '../api/experiment.ts';
import type { RunParameters } from '../api/run.ts';

/** A Run that should exist. */
export type WantedRun = { readonly name: string; readonly parameters: RunParameters };

/** What Runs that differ only in their seed have in common. */
export type Treatment = Omit<RunParameters, 'seed'>;

/** Gives names to Runs: by their treatment, then by their seed. */
export type RunNamer = (treatment: Treatment) => (seed: number) => string;

const maxLength = 63;
const hashLength = 10;

/**
 * Names the Runs of an Experiment. A name is a DNS label of at most 63 characters.
 *
 * `experiment[-scarcity]-role[-arm][-student]-sSEED-HASH`. Where that is too long, the longest readable parts are
 * cut; seed and hash stay whole. The hash covers everything that decides the result, and the Experiment's name, so
 * that equal names mean equal Runs whatever was cut. It covers the teacher as the spec describes it, not as it was
 * found: a name depends on the spec alone, and, where a search has found the teacher, on which Run that is.
 *
 * All names are made anew at every change of one Run, of which there may be thousands. What many have in common (the
 * same objects: data set, recipe, objective) is therefore written out once.
 */
export function runNamer({ metadata, spec }: Experiment, tunedTeacher?: string): RunNamer {
  const write = onceEach(canonicalJson);
  return ({ teacherRun, teacherNamespace: _namespace, teacherOnnx: _onnx, ...treatment }) => {
    const { role, stage, arm, student } = treatment;
    const readable = [metadata.name, stage === 'scarcity' ? stage : undefined, role, arm, student];
    const parts = readable.filter((part) => part !== undefined);
    const fitting = onceEach((length: number) => fit(parts, length));

    const fields = jsonFields({ ...treatment, seed: 0 }, write);
    const seedAt = fields.indexOf('"seed":0');
    // An explanation goes without a teacher of its Experiment that failed.
    const isShown = role === 'explanation' && (teacherRun !== undefined || spec.teacher.model === undefined);
    const described = tunedTeacher === undefined ? spec.teacher : { ...spec.teacher, run: tunedTeacher };
    const teacher = role === 'distilled' || isShown ? `,"teacher":${write(described)}` : '';
    return (seed) => {
      const parameters = fields.with(seedAt, `"seed":${seed}`).join(',');
      const identity = `{"experiment":${write(metadata.name)},"parameters":{${parameters}}${teacher}}`;
      const tail = `-s${seed}-${hash('sha256', identity, 'hex').slice(0, hashLength)}`;
      return fitting(maxLength - tail.length) + tail;
    };
  };
}

/**
 * Names the Runs of a study: by its number, not by what it tries. Another leader that would try something else under the
 * number finds the name taken. `experiment-search-role-student-tNUMBER-HASH`, cut as other names are; the hash is of
 * the Experiment and the study.
 */
export function trialNamer(
  { metadata }: Pick<Experiment, 'metadata'>,
  treatment: Treatment,
): (number: number) => string {
  const { role, arm, student } = treatment;
  const parts = [metadata.name, 'search', arm ?? role, student].filter((part) => part !== undefined);
  const identity = canonicalJson({ experiment: metadata.name, role, arm, student });
  const digest = hash('sha256', identity, 'hex').slice(0, hashLength);
  return (number) => {
    const tail = `-t${String(number).padStart(4, '0')}-${digest}`;
    return fit(parts, maxLength - tail.length) + tail;
  };
}

/** Names a study: `teacher`, `STUDENT.baseline`, `STUDENT.ARM`. */
export function studyNameOf({ student, arm }: Pick<RunParameters, 'student' | 'arm'>): string {
  return student === undefined ? 'teacher' : `${student}.${arm ?? 'baseline'}`;
}

/** JSON with sorted keys: equal values give equal text, in whatever order their keys were written. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) return `{${jsonFields(value, canonicalJson).join(',')}}`;
  return JSON.stringify(value);
}

/** An object's fields as JSON, `"key":value`, in the order of their keys. */
function jsonFields(object: object, write: (value: unknown) => string): readonly string[] {
  return Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`);
}

/** Joins the parts with hyphens, all cut to the greatest common length that fits. */
function fit(parts: readonly string[], length: number): string {
  for (let longest = length; longest > 0; longest--) {
    const joined = parts.map((part) => part.slice(0, longest).replace(/-+$/, '')).join('-');
    if (joined.length <= length) return joined;
  }
  return parts.join('-').slice(0, length);
}

/** A function that is asked once for each input; objects are told apart by identity. */
function onceEach<In, Out>(ask: (input: In) => Out): (input: In) => Out {
  const known = new Map<In, { readonly output: Out }>();
  return (input) => {
    const answer = known.get(input) ?? { output: ask(input) };
    known.set(input, answer);
    return answer.output;
  };
}
