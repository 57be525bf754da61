import { z } from 'zod';
import type { ApiClient } from '../runtime/api-client.ts';

const user = z.object({
  username: z.string().default(''),
  uid: z.string().optional(),
  groups: z.array(z.string()).default([]),
  extra: z.record(z.string(), z.array(z.string())).default({}),
});

const tokenReview = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    user: user.optional(),
    audiences: z.array(z.string()).default([]),
  }),
});

const accessReview = z.object({ status: z.object({ allowed: z.boolean().default(false) }) });

/** Whose token it is, as authentication.k8s.io/v1 has it. */
export type User = z.output<typeof user>;

/** Somebody asks for a path that is no Kubernetes object. */
export type PathAccess = { readonly path: string; readonly verb: string };

/** What the API server is asked. Its methods throw what the client throws, and ZodError if the answer makes no sense. */
export type Reviews = {
  /**
   * @param audience whom the token must be meant for; undefined: the API server itself
   * @returns undefined if the token is not valid, or not for that audience
   */
  readonly authenticate: (
    token: string,
    audience: string | undefined,
    signal: AbortSignal,
  ) => Promise<User | undefined>;
  readonly isAllowed: (user: User, access: PathAccess, signal: AbortSignal) => Promise<boolean>;
};

/** The operator needs the ClusterRole `system:auth-delegator`, or `create` on both kinds of review. */
export function reviewsBy(client: Pick<ApiClient, 'request'>): Reviews {
  return {
    authenticate: async (token, audience, signal) => {
      const answer = await client.request(
        'POST',
        '/apis/authentication.k8s.io/v1/tokenreviews',
        {
          body: {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenReview',
            spec: { token, ...(audience === undefined ? {} : { audiences: [audience] }) },
          },
        },
        signal,
      );
      const { status } = tokenReview.parse(answer);
      // An authenticator that knows no audiences leaves them out: its word is not enough.
      const isForUs = audience === undefined || status.audiences.includes(audience);
      return status.authenticated && isForUs ? status.user : undefined;
    },
    isAllowed: async ({ username, uid, groups, extra }, nonResourceAttributes, signal) => {
      const answer = await client.request(
        'POST',
        '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        {
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SubjectAccessReview',
            spec: { user: username, uid, groups, extra, nonResourceAttributes },
          },
        },
        signal,
      );
      return accessReview.parse(answer).status.allowed;
    },
  };
}
