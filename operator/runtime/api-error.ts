/** What the API server answers instead of an object: metav1.Status, as far as it is read here. */
export type Status = {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: StatusDetails;
};

export type StatusDetails = {
  readonly name?: string;
  readonly kind?: string;
  readonly causes?: readonly {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
  }[];
  readonly retryAfterSeconds?: number;
};

/** The API server refused a request. */
export class ApiError extends Error {
  /** Of the answer, such as 409. */
  readonly status: number;
  /** In one word, such as `AlreadyExists`; empty if the server did not say. */
  readonly reason: string;
  readonly details: StatusDetails;
  /** The server's own words. */
  readonly said: string;
  /** When the server wants to be asked again. */
  readonly retryAfterSeconds: number | undefined;

  /** @param request such as `GET /api/v1/pods`; what precedes the server's message */
  constructor(request: string, code: number, status: Status, retryAfterSeconds?: number) {
    const said = status.message ?? `the API server answered ${code}`;
    super(`${request}: ${said}`);
    this.name = 'ApiError';
    this.said = said;
    this.status = code;
    this.reason = status.reason ?? '';
    this.details = status.details ?? {};
    this.retryAfterSeconds = retryAfterSeconds ?? status.details?.retryAfterSeconds;
  }
}

/** The API server could not be reached, did not answer in time, or broke off. */
export class ConnectionError extends Error {
  constructor(request: string, what: string, options?: ErrorOptions) {
    super(`${request}: ${what}`, options);
    this.name = 'ConnectionError';
  }
}

export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404;
}

/** Whoever asks has no right to it. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

/** The object is there already. */
export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.reason === 'AlreadyExists';
}

/** Somebody else changed the object since it was read: to be read and decided again. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.reason !== 'AlreadyExists';
}

/** What was asked for is no longer in the server's history. */
export function isExpired(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired');
}

/** Answer of the API server to a request that it refused; it is not always JSON. */
export function apiError(request: string, code: number, text: string, retryAfter?: string): ApiError {
  const seconds = Number.parseInt(retryAfter ?? '', 10);
  return new ApiError(request, code, statusOf(text), Number.isNaN(seconds) ? undefined : seconds);
}

function statusOf(text: string): Status {
  try {
    const value: unknown = JSON.parse(text);
    return isStatus(value) ? value : { message: text.trim() };
  } catch {
    return text.trim() === '' ? {} : { message: text.trim() };
  }
}

export function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}
