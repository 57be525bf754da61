import { type Termination, termination } from '@destillml/core/protocol/report.ts';
import { shown } from '@destillml/core/text/shown.ts';

/** Longest termination message the kubelet keeps, in bytes. */
const maxBytes = 4096;

export type LastWord =
  | { readonly word: Termination }
  /** What is wrong with the message, to go on after "its termination message". */
  | { readonly unreadable: string };

/** What a trainer left in its termination message. Whoever wrote it, it is read without trust. */
export function lastWord(message: string | undefined): LastWord {
  if (message === undefined || message.trim() === '') return { unreadable: 'is missing' };
  let content: unknown;
  try {
    content = JSON.parse(message);
  } catch {
    const cut = Buffer.byteLength(message) >= maxBytes;
    return { unreadable: cut ? `was cut off at ${maxBytes} bytes` : 'is not JSON' };
  }
  const parsed = termination.safeParse(content);
  if (parsed.success) return { word: parsed.data };
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.');
  return { unreadable: shown(`is not one of a trainer (${field ? `${field}: ` : ''}${issue?.message})`) };
}
