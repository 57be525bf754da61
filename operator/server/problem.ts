/** Why a request is refused: the answer is its status and `{code, message}`. */
export class Problem extends Error {
  /** Of the answer, such as 403. */
  readonly status: number;
  /** Stable, in one CamelCase word, such as `Forbidden`. */
  readonly code: string;

  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
  }
}

const bodyProblems: Readonly<Record<string, Problem>> = {
  'entity.too.large': new Problem(413, 'TooLarge', 'the body is longer than 16 kB'),
  'entity.parse.failed': new Problem(400, 'Malformed', 'the body is not JSON'),
  'request.size.invalid': new Problem(400, 'Malformed', 'the body is shorter than its content-length'),
  'encoding.unsupported': new Problem(415, 'UnsupportedMediaType', 'the body must not be compressed'),
  'charset.unsupported': new Problem(415, 'UnsupportedMediaType', 'the body must be UTF-8'),
};

/** What to answer to an error, whoever threw it. Nothing of an unexpected error is shown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { type, status } = fieldsOf(error);
  const known = typeof type === 'string' ? bodyProblems[type] : undefined;
  if (known) return known;
  // Express and its parts blame the client for what it sent with a status, such as 400 for a path that cannot be decoded.
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(status, 'BadRequest', 'the request cannot be understood', { cause: error });
  }
  return new Problem(500, 'Internal', 'something went wrong here; the log of the operator says what', {
    cause: error,
  });
}

function fieldsOf(error: unknown): { readonly type?: unknown; readonly status?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}
