import { createHash } from 'node:crypto';
import type { Clock } from '../runtime/clock.ts';
import { Problem } from './problem.ts';
import type { Reviews, User } from './reviews.ts';

export type AuthenticatorOptions = {
  readonly reviews: Reviews;
  /** Whom tokens must be meant for; undefined: the API server. */
  readonly audience: string | undefined;
  readonly clock: Clock;
};

/** How long an answer of the API server holds, in milliseconds: a token that was revoked is good for so long. */
const lifetime = 60_000;
/** How long the API server may take to answer, in milliseconds. */
const patience = 5_000;
/** Answers kept; the oldest goes first. */
const capacity = 4096;

type Answer = { readonly user: Promise<User | undefined>; readonly until: number };

/** Finds out whose request it is, by bearer token. Tokens are kept as hashes only. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  /** By hash, oldest first. */
  readonly #answers = new Map<string, Answer>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * @param authorization the header of the request
   * @throws Problem 401 without a valid token, 503 if the API server does not say
   */
  async authenticate(authorization: string | undefined): Promise<User> {
    const token = /^Bearer +([\w\-.~+/]+=*) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new Problem(401, 'Unauthorized', 'a bearer token is needed');
    const user = await this.#userOf(token);
    if (user === undefined) throw new Problem(401, 'Unauthorized', this.#refusal());
    return user;
  }

  async #userOf(token: string): Promise<User | undefined> {
    const hash = createHash('sha256').update(token).digest('base64');
    const now = this.#options.clock.monotonic();
    const known = this.#answers.get(hash);
    if (known !== undefined && now < known.until) return known.user;
    const user = this.#review(token);
    const answer = { user, until: now + lifetime };
    // Deleted first: a Map keeps the place of a key that is set again.
    this.#answers.delete(hash);
    this.#answers.set(hash, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= capacity) break;
      this.#answers.delete(oldest);
    }
    try {
      return await user;
    } catch (error) {
      // No answer is asked for again at once.
      if (this.#answers.get(hash) === answer) this.#answers.delete(hash);
      throw error;
    }
  }

  async #review(token: string): Promise<User | undefined> {
    const { reviews, audience } = this.#options;
    try {
      return await reviews.authenticate(token, audience, AbortSignal.timeout(patience));
    } catch (cause) {
      throw unanswered(cause);
    }
  }

  #refusal(): string {
    const { audience } = this.#options;
    return audience === undefined
      ? 'the token is not valid'
      : `the token is not valid, or not for the audience ${audience}`;
  }
}

/**
 * Whether a user may do this, asked anew each time.
 *
 * @throws Problem 403 if not, 503 if the API server does not say
 */
export async function authorize(reviews: Reviews, user: User, path: string, verb: string): Promise<void> {
  let allowed: boolean;
  try {
    allowed = await reviews.isAllowed(user, { path, verb }, AbortSignal.timeout(patience));
  } catch (cause) {
    throw unanswered(cause);
  }
  if (!allowed) {
    throw new Problem(
      403,
      'Forbidden',
      `${user.username} may not ${verb} ${path}: it needs a ClusterRole with that nonResourceURL`,
    );
  }
}

function unanswered(cause: unknown): Problem {
  return new Problem(503, 'Unavailable', 'the API server does not say whose token it is; try again', {
    cause,
  });
}
