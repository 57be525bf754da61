import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Report } from '@destillml/core/protocol/report.ts';

/** What the operator is told. */
export type PushedReport = Exclude<Report, { readonly kind: 'note' }>;

export type Destination = {
  /** The whole address, https. */
  readonly url: string;
  /** Read for every report: the kubelet replaces the token while the pod runs. */
  readonly tokenFile: string;
  /** Authority that vouches for the operator, PEM; without it those that Node.js knows. */
  readonly ca?: string | undefined;
};

/** The operator refused a report. */
export class PostError extends Error {
  /** Whether the same report would be refused for ever. */
  readonly isFinal: boolean;

  constructor(status: number, text: string) {
    super(`it answered ${status} ${text}`.trim());
    this.name = 'PostError';
    this.isFinal = status === 400 || status === 413 || status === 415;
  }
}

/** What of an answer is read, in bytes: enough to say why. */
const answerLimit = 1024;

/** Sends reports, each on a connection of its own: they are seconds apart, and the operator may have moved. */
export function poster({ url, tokenFile, ca }: Destination) {
  const agent = new Agent({ keepAlive: false });
  return async (report: PushedReport, signal: AbortSignal): Promise<void> => {
    const token = await readFile(tokenFile, 'utf8');
    const body = JSON.stringify(report);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token.trim()}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const options = { method: 'POST', agent, headers, signal, ...(ca === undefined ? {} : { ca }) };
      request(url, options, resolve)
        .once('error', (error) => reject(signal.aborted ? signal.reason : error))
        .end(body);
    });
    const { statusCode = 0 } = answer;
    const text = await start(answer);
    if (statusCode < 200 || statusCode >= 300) throw new PostError(statusCode, text);
  };
}

/** The first bytes of an answer; it is not read any further. */
async function start(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    text += chunk;
    if (text.length >= answerLimit) break;
  }
  return text.slice(0, answerLimit);
}
