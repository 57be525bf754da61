import { describe, expect, it } from 'vitest';
import { Refusals } from '../../../operator/controllers/refusals.ts';
import { attempt, type Refusal, WriteRefused } from '../../../operator/controllers/write-refused.ts';
import { ApiError, ConnectionError } from '../../../operator/runtime/api-error.ts';
import type { Happening } from '../../../operator/runtime/events.ts';
import { runWith } from '../jobs/world.ts';
import { capturedLog } from '../runtime/captured-log.ts';
import { FakeClock } from '../runtime/fake-clock.ts';

const refusedBy = (code: number, message: string, reason = '') =>
  new ApiError('POST /apis/batch/v1/namespaces/lab/jobs', code, { message, reason });

async function thrownBy(error: unknown): Promise<unknown> {
  return await attempt('Its Job cannot be created', Promise.reject(error)).catch((thrown: unknown) => thrown);
}

async function refusalOf(error: ApiError): Promise<Refusal> {
  const thrown = await thrownBy(error);
  if (thrown instanceof WriteRefused) return thrown.refusal;
  throw thrown;
}

const webhook =
  'Internal error occurred: failed calling webhook "jobs.lab": failed to call webhook: Post "https://jobs.lab.svc:443/?timeout=10s": ';
const again = 'It is tried again, after a minute at the latest.';

describe('what is said of a write that is refused', () => {
  it.each<[string, number, string, string, string]>([
    [
      'by a quota',
      403,
      'jobs.batch "study-x" is forbidden: exceeded quota: lab, requested: count/jobs.batch=1, used: count/jobs.batch=4, limited: count/jobs.batch=4',
      'QuotaExceeded',
      'ResourceQuota lab leaves no room (requested: count/jobs.batch=1, used: count/jobs.batch=4, limited: count/jobs.batch=4). Wait until there is room, or ask for a larger quota.',
    ],
    [
      'by a policy',
      422,
      "jobs.batch \"study-x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no Jobs on Mondays",
      'AdmissionDenied',
      "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no Jobs on Mondays. Change what is refused, or have the policy changed.",
    ],
    [
      'by a webhook',
      400,
      'admission webhook "jobs.lab" denied the request: images come from our registry!',
      'AdmissionDenied',
      'admission webhook "jobs.lab" denied the request: images come from our registry! Change what is refused, or have the policy changed.',
    ],
    [
      'for want of a right',
      403,
      'jobs.batch is forbidden: User "system:serviceaccount:d:o" cannot create resource "jobs" in API group "batch" in the namespace "lab"',
      'OperatorForbidden',
      'jobs.batch is forbidden: User "system:serviceaccount:d:o" cannot create resource "jobs" in API group "batch" in the namespace "lab". Whoever runs the operator has to give it that right: see its ClusterRole.',
    ],
    [
      'for another reason',
      422,
      'Job.batch "study-x" is invalid: spec.backoffLimit: Invalid value: -1',
      'WriteRefused',
      'Job.batch "study-x" is invalid: spec.backoffLimit: Invalid value: -1.',
    ],
    ['without a word', 500, '', 'WriteRefused', 'the API server answered 500.'],
  ])('%s', async (_case, code, message, reason, text) => {
    const error = message === '' ? new ApiError('POST jobs', code, {}) : refusedBy(code, message);
    expect(await refusalOf(error)).toEqual({
      reason,
      message: `Its Job cannot be created: ${text} ${again}`,
    });
  });

  it.each([
    [
      'read tcp 10.0.0.7:51234->10.96.0.4:443: read: connection reset by peer',
      'read tcp 10.0.0.7:40022->10.96.0.4:443: read: connection reset by peer',
      'read tcp: read: connection reset by peer',
    ],
    [
      'dial tcp: lookup jobs.lab.svc on 10.0.0.10:53: read udp 10.0.0.7:1->10.0.0.10:53: i/o timeout',
      'dial tcp: lookup jobs.lab.svc on 10.0.0.10:53: read udp 10.0.0.7:2->10.0.0.10:53: i/o timeout',
      'lookup jobs.lab.svc on 10.0.0.10:53: read udp: i/o timeout',
    ],
    [
      'dial tcp [fd00::1]:443: connect: connection refused',
      'dial tcp [fd00::2]:443: connect: connection refused',
      'dial tcp: connect: connection refused',
    ],
    [
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-30T20:00:00Z is after 2026-11-01T00:00:00Z',
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-30T20:01:00Z is after 2026-11-01T00:00:00Z',
      'x509: certificate has expired or is not yet valid: it has expired',
    ],
  ])('is the same with every try: %s', async (first, second, said) => {
    const one = await refusalOf(refusedBy(500, webhook + first));
    expect(one.reason).toBe('WebhookFailed');
    expect(one.message).toContain(said);
    expect(await refusalOf(refusedBy(500, webhook + second))).toEqual(one);
  });

  it.each([
    ['what is there already', refusedBy(409, 'there', 'AlreadyExists')],
    ['a conflict', refusedBy(409, 'changed', 'Conflict')],
    ['what is gone', refusedBy(404, 'gone', 'NotFound')],
    ['an API server that does not answer', new ConnectionError('POST jobs', 'no answer')],
  ])('is nothing of %s', async (_case, error) => {
    expect(await thrownBy(error)).toBe(error);
  });
});

function telling() {
  const events: Happening[] = [];
  const clock = new FakeClock();
  const { log, lines } = capturedLog();
  const refusals = new Refusals({ recorder: { record: (happening) => events.push(happening) }, clock, log });
  const reported: string[] = [];
  const fail = async (error: ApiError, status?: ApiError) =>
    await refusals.handle(runWith(), await thrownBy(error), async ({ message }) => {
      if (status) await attempt('Its status cannot be written', Promise.reject(status));
      reported.push(message);
    });
  return { events, clock, lines, refusals, reported, fail };
}

describe('refusals', () => {
  const policy = (text: string) => refusedBy(422, `denied request: ${text}`);

  it('are told once, by an Event and in the log, and reported each time for the status', async () => {
    const { events, lines, reported, fail, refusals } = telling();
    expect(await fail(policy('quota 3 of 4'))).toEqual({ retry: true });
    expect(await fail(policy('quota 4 of 4'))).toEqual({ retry: true });
    expect(events).toMatchObject([{ type: 'Warning', reason: 'AdmissionDenied' }]);
    expect(lines).toMatchObject([{ level: 40, kind: 'Run', namespace: 'lab', name: 'study-run' }]);
    // In the same words, so that it is no change.
    expect(new Set(reported)).toEqual(new Set([expect.stringContaining('quota 3 of 4')]));
    await fail(policy('of another kind'));
    expect(events).toHaveLength(2);
    await fail(policy('quota 3 of 4'));
    expect(events).toHaveLength(2);
    refusals.settled('lab/study-run');
    await fail(policy('quota 3 of 4'));
    expect(events).toHaveLength(3);
  });

  it('that may pass are told of when they have not passed in 5 s, and are errors', async () => {
    const { events, clock, reported, fail, refusals } = telling();
    const down = refusedBy(500, `${webhook}EOF`);
    const again = () => expect(fail(down)).rejects.toThrow(WriteRefused);
    await again();
    await clock.advance(4_999);
    await again();
    expect([events, reported]).toEqual([[], []]);
    await clock.advance(1);
    await again();
    expect([events.length, reported.length]).toEqual([1, 1]);
    refusals.settled('lab/study-run');
    await again();
    expect(events).toHaveLength(1);
  });

  it('of the status itself are told by an Event, and are errors', async () => {
    const { events, fail } = telling();
    const refused = fail(policy('no Jobs'), policy('no statuses'));
    await expect(refused).rejects.toThrow('Its status cannot be written: denied request: no statuses.');
    await expect(fail(policy('no Jobs'), policy('no statuses'))).rejects.toThrow(WriteRefused);
    expect(events.map(({ note }) => note)).toEqual([
      expect.stringContaining('no Jobs'),
      expect.stringContaining('no statuses'),
    ]);
  });

  it('are nothing else: other errors are thrown', async () => {
    const { events, refusals } = telling();
    const broken = new TypeError('broken');
    await expect(refusals.handle(runWith(), broken, async () => undefined)).rejects.toBe(broken);
    expect(events).toEqual([]);
  });
});
