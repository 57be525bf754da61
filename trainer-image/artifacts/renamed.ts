import { DestillError } from '@destillml/core/errors.ts';

/** An error that a user sees, with its text as `named` puts it. */
export function renamed(error: unknown, named: (text: string) => string): unknown {
  if (!(error instanceof DestillError)) return error;
  const message = named(error.message);
  return message === error.message ? error : new DestillError(error.code, message, { cause: error });
}
