import { createHash } from 'node:crypto';
import type { Experiment } from '../api/experiment.ts';
import type { RunParameters } from '../api/run.ts';

/** A Run that should exist. */
export type WantedRun = { readonly name: string; readonly parameters: RunParameters };

const maxLength = 63;
const hashLength = 10;

/**
 * Name of the Run with these parameters: a DNS label of at most 63 characters.
 *
 * `experiment[-scarcity]-role[-arm][-student]-sSEED-HASH`. Where that is too long, the longest readable parts are
 * cut; seed and hash stay whole. The hash covers everything that decides the result, and the Experiment's name, so
 * that equal names mean equal Runs whatever was cut. It covers the teacher as the spec describes it, not as it was
 * found: a name depends on the spec alone.
 */
export function runName(experiment: Experiment, parameters: RunParameters): string {
  const { role, stage, arm, student, seed } = parameters;
  const readable = [
    experiment.metadata.name,
    ...(stage === 'main' ? [] : [stage]),
    role,
    ...(arm === undefined ? [] : [arm]),
    ...(student === undefined ? [] : [student]),
  ];
  const tail = `-s${seed}-${hash(identity(experiment, parameters))}`;
  return fit(readable, maxLength - tail.length) + tail;
}

/** JSON with sorted keys: equal values give equal text, in whatever order their keys were written. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function identity(experiment: Experiment, parameters: RunParameters): unknown {
  const { teacherRun: _run, teacherNamespace: _namespace, ...own } = parameters;
  return {
    experiment: experiment.metadata.name,
    parameters: own,
    ...(own.role === 'distilled' ? { teacher: experiment.spec.teacher } : {}),
  };
}

function hash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, hashLength);
}

/** Joins the parts with hyphens, all cut to the greatest common length that fits. */
function fit(parts: readonly string[], length: number): string {
  for (let longest = length; longest > 0; longest--) {
    const joined = parts.map((part) => part.slice(0, longest).replace(/-+$/, '')).join('-');
    if (joined.length <= length) return joined;
  }
  return parts.join('-').slice(0, length);
}
