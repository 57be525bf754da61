import { S3ServiceException } from '@aws-sdk/client-s3';
import { DestillError, type ErrorCode } from '@destillml/core/errors.ts';
import { cut } from '@destillml/core/text/cut.ts';
import { shown } from '@destillml/core/text/shown.ts';
import { errorCode, fieldOf, type S3Place, secretOf } from './place.ts';

/** An object or folder of a store could not be listed, read or written: why, and what to do. */
export class S3Refusal extends DestillError {
  /** Whether it may pass by itself: an outage, not a wrong key. */
  readonly passes: boolean;

  /** @param why sentences without the store's name */
  constructor(place: S3Place, why: string, passes: boolean, code: ErrorCode = errorCode(place.purpose)) {
    super(code, `${nameOf(place)}: ${masked(why, place)}`);
    this.passes = passes;
  }
}

/**
 * What an error of the SDK means. The error itself is left behind: it carries the request with its signature.
 *
 * @param doing such as `read s3://lab/small/result.json`
 */
export function refusal(error: unknown, place: S3Place, doing: string): S3Refusal {
  if (error instanceof S3Refusal) return error;
  const { purpose } = place;
  if (!(error instanceof S3ServiceException)) {
    return new S3Refusal(
      place,
      `it cannot be reached to ${doing}: ${firstLine(error)}. Check ${fieldOf(purpose, 'endpoint')}, and whether pods may connect to it.`,
      true,
    );
  }
  const status = error.$metadata.httpStatusCode ?? 0;
  const answer = `it answered ${status} ${error.name}: ${firstLine(error)}`;
  const final = (why: string) => new S3Refusal(place, why, false);
  switch (error.name) {
    case 'NoSuchBucket':
      return final(`there is no such bucket. Create it, or correct ${fieldOf(purpose, 'bucket')}.`);
    case 'InvalidAccessKeyId':
      return final(`it does not know the access key. Correct accessKeyId in ${secretOf(purpose)}.`);
    case 'SignatureDoesNotMatch':
      return final(
        `the secret key is not that of the access key. Correct secretAccessKey in ${secretOf(purpose)}.`,
      );
    case 'AccessDenied':
      return final(
        `the access key may not ${doing}. Allow it ${permissions(place)}, or put another into ${secretOf(purpose)}.`,
      );
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
    case 'PermanentRedirect':
      return final(
        `${answer}. Correct ${fieldOf(purpose, 'region')}${place.endpoint ? ` and ${fieldOf(purpose, 'endpoint')}` : ''}.`,
      );
    case 'RequestTimeTooSkewed':
      return final('its clock and the clock of this node differ by more than it bears. Set both by NTP.');
    case 'InsufficientStorage':
    case 'QuotaExceeded':
    case 'XMinioStorageFull':
    case 'XMinioAdminBucketQuotaExceeded':
      return full(place, doing, answer);
    case 'NotFound':
      // S3's own 404 has a code.
      return noStore(place, answer);
    default:
      if (status === 507) return full(place, doing, answer);
      return new S3Refusal(
        place,
        `cannot ${doing}: ${answer}.`,
        status >= 500 || status === 408 || status === 429,
      );
  }
}

/** Where something else answers, such as the web page of a store. */
export function noStore(place: S3Place, why: string): S3Refusal {
  return new S3Refusal(
    place,
    `that is no S3 store: ${why}. Correct ${fieldOf(place.purpose, 'endpoint')}; the web page of a store often has another port than its S3 API.`,
    false,
  );
}

function full(place: S3Place, doing: string, answer: string): S3Refusal {
  return new S3Refusal(
    place,
    `it has no room left to ${doing}: ${answer}. Delete what is not needed there, or raise the quota.`,
    false,
    'StorageFull',
  );
}

/** `S3 bucket lab at https://s3.example.org`: without user or password, should the address hold any. */
function nameOf({ bucket, endpoint, region }: S3Place): string {
  const address = endpoint === undefined ? null : URL.parse(endpoint);
  return `S3 bucket ${bucket} ${address === null ? `in AWS region ${region}` : `at ${address.origin}`}`;
}

function permissions({ purpose }: S3Place): string {
  return `s3:ListBucket and s3:GetObject${purpose === 'ARTIFACTS' ? ' and s3:PutObject' : ''}`;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return cut(shown((text.split('\n')[0] ?? '').replace(/\.$/, '')), 300);
}

/** Should a store repeat a key in its answer, it goes no further. */
function masked(text: string, { accessKeyId, secretAccessKey }: S3Place): string {
  return text.replaceAll(secretAccessKey, '***').replaceAll(accessKeyId, '***');
}
