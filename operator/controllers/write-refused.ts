import { sentence } from '../jobs/sentence.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../runtime/api-error.ts';

/** Why something is not done: `reason` in one CamelCase word, `message` with what to do. */
export type Refusal = { readonly reason: string; readonly message: string };

/** A write that the API server refuses, and will again until somebody changes something. */
export class WriteRefused extends Error {
  readonly refusal: Refusal;
  /** What users can do something about: a quota, a policy. The rest is the trouble of whoever runs the cluster. */
  readonly isRule: boolean;
  /** It is the server's or a webhook's trouble, which may be over in a moment. */
  readonly mayPass: boolean;

  /** @param what such as `Its Job cannot be created` */
  constructor(what: string, error: ApiError) {
    const { reason, why, remedy = '' } = explained(error);
    const message = [`${what}: ${sentence(why)}`, remedy, again].filter((part) => part !== '').join(' ');
    super(message, { cause: error });
    this.name = 'WriteRefused';
    this.refusal = { reason, message };
    this.isRule = reason === 'QuotaExceeded' || reason === 'AdmissionDenied';
    this.mayPass = error.status >= 500 || error.status === 429;
  }
}

/** The back-off of the controllers' queues, in words. */
const again = 'It is tried again, after a minute at the latest.';

/**
 * @param what is not done if it is refused, such as `Its Job cannot be created`
 * @throws WriteRefused if the API server refuses it; what is there already, gone, or changed by others is thrown as it is
 */
export async function attempt<T>(what: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const isOrdinary = isConflict(error) || isAlreadyExists(error) || isNotFound(error);
    throw error instanceof ApiError && !isOrdinary ? new WriteRefused(what, error) : error;
  }
}

type Explanation = { readonly reason: string; readonly why: string; readonly remedy?: string };

function explained(error: ApiError): Explanation {
  const why = withoutChance(error.said);
  const quota = /^exceeded quota: ([^,]+), (.*)$/s.exec(why);
  if (quota) {
    return {
      reason: 'QuotaExceeded',
      why: `ResourceQuota ${quota[1]} leaves no room (${quota[2]})`,
      remedy: 'Wait until there is room, or ask for a larger quota.',
    };
  }
  if (/failed calling webhook/.test(why)) {
    return {
      reason: 'WebhookFailed',
      why,
      remedy: 'Whoever runs the cluster has to repair that webhook, or to exempt this namespace from it.',
    };
  }
  if (/denied (the )?request/.test(why)) {
    return { reason: 'AdmissionDenied', why, remedy: 'Change what is refused, or have the policy changed.' };
  }
  if (/cannot \w+ resource/.test(why)) {
    return {
      reason: 'OperatorForbidden',
      why,
      remedy: 'Whoever runs the operator has to give it that right: see its ClusterRole.',
    };
  }
  return { reason: 'WriteRefused', why };
}

/** What the API server says, without what differs from try to try: addresses, the time, what the object is called. */
function withoutChance(said: string): string {
  return said
    .replace(/^Internal error occurred: /, '')
    .replace(/^[\w.-]+ "[^"]*" is forbidden: /, '')
    .replace(/\b(tcp|udp) (\S+->)?\S+:\d+/g, '$1')
    .replace(/current time \S+ is after \S+/, 'it has expired');
}
