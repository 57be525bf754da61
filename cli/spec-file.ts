import { readFileSync } from 'node:fs';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import { parseExperiment } from '@destillml/core/api/validate.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { parseAllDocuments } from 'yaml';

/** An Experiment file: its text as given, and what it says with all defaults. */
export type SpecFile = { readonly text: string; readonly experiment: Experiment };

/** @throws DestillError `InvalidSpec` naming the file, and the line or every field that is wrong. */
export function readSpecFile(path: string): SpecFile {
  const text = readText(path);
  const content = parseYaml(path, text);
  try {
    return { text, experiment: parseExperiment(content) };
  } catch (error) {
    if (!(error instanceof DestillError)) throw error;
    throw new DestillError(error.code, `${path} is not a valid Experiment:\n${indent(error.message)}`, {
      cause: error,
    });
  }
}

/** The content of a YAML or JSON file with one document. */
export function readYamlFile(path: string): unknown {
  return parseYaml(path, readText(path));
}

export function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function parseYaml(path: string, text: string): unknown {
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  if (documents.length > 1) {
    throw new DestillError(
      'InvalidSpec',
      `${path} holds ${documents.length} documents. Put every Experiment into a file of its own.`,
    );
  }
  const [document] = documents;
  if (document === undefined || !('toJS' in document) || document.contents === null) {
    throw new DestillError('InvalidSpec', `${path} is empty: an Experiment is expected.`);
  }
  const [error] = document.errors;
  if (error !== undefined) {
    throw new DestillError('InvalidSpec', `${path} is not valid YAML: ${error.message.trim()}`);
  }
  return document.toJS();
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DestillError('InvalidSpec', `${path} cannot be read: ${reason(cause)}.`, { cause });
  }
}

function reason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'permission denied';
    default:
      return String(cause);
  }
}
