import { PostError, type PushedReport } from '@destillml/trainer/reporting/post.ts';
import { Pusher } from '@destillml/trainer/reporting/push.ts';
import { describe, expect, test } from 'vitest';
import { FakeClock, settle } from '../../operator/runtime/fake-clock.ts';
import { epoch, progressReport } from './reports.ts';

type Post = (report: PushedReport, signal: AbortSignal) => Promise<void>;

function setUp(post: Post = async () => undefined) {
  const clock = new FakeClock();
  const sent: PushedReport[] = [];
  const warnings: string[] = [];
  const operator = { post };
  const pusher = new Pusher({
    post: (report, signal) => {
      sent.push(report);
      return operator.post(report, signal);
    },
    after: (milliseconds, action) => clock.after(milliseconds, action),
    warn: (message) => warnings.push(message),
  });
  return { clock, sent, warnings, operator, pusher };
}

const down: Post = () => Promise.reject(new Error('connect ECONNREFUSED'));
const never: Post = (_report, signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
const steps = (sent: readonly PushedReport[]) => sent.map(({ progress }) => progress.step);

describe('pushed progress', () => {
  test('goes at once, then at most every 5 s, the latest each time', async () => {
    const { clock, sent, pusher } = setUp();
    pusher.add(progressReport(1));
    await settle();
    pusher.add(progressReport(2));
    pusher.add(progressReport(3));
    await clock.advance(4_999);
    expect(steps(sent)).toEqual([1]);
    await clock.advance(1);
    expect(steps(sent)).toEqual([1, 3]);
  });

  test('after a quiet time goes at once', async () => {
    const { clock, sent, pusher } = setUp();
    pusher.add(progressReport(1));
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
    pusher.add(progressReport(2));
    expect(steps(sent)).toEqual([1, 2]);
  });

  test('never loses an epoch to what comes after it', async () => {
    const { clock, sent, pusher } = setUp();
    pusher.add(epoch(1));
    await settle();
    pusher.add(epoch(2));
    pusher.add(epoch(3));
    pusher.add(progressReport(7));
    await clock.advance(5_000);
    expect(sent[1]).toEqual({
      ...epoch(3),
      progress: progressReport(7).progress,
      earlier: [{ epoch: 2, validationAccuracy: 0.02 }],
    });
  });

  test('holds no more epochs than the protocol takes, the latest', async () => {
    const { clock, sent, operator, pusher } = setUp(down);
    for (let each = 1; each <= 200; each++) pusher.add(epoch(each));
    operator.post = async () => undefined;
    await clock.advance(10_000);
    const last = sent.at(-1);
    if (last?.kind !== 'epoch') throw new Error('not an epoch');
    expect(last.record.epoch).toBe(200);
    expect(last.earlier?.map((each) => each.epoch)).toEqual(
      Array.from({ length: 128 }, (_, index) => 72 + index),
    );
  });

  test('does not tell of notes', async () => {
    const { sent, pusher } = setUp();
    pusher.add({ kind: 'note', message: 'hello' });
    await pusher.close(1000);
    expect(sent).toEqual([]);
  });
});

describe('while the operator does not take reports', () => {
  test('it is asked ever less often, up to once a minute, and warned of once', async () => {
    const { clock, sent, warnings, pusher } = setUp(down);
    const times: number[] = [];
    pusher.add(epoch(1));
    for (let second = 0; second < 260; second++) {
      const before = sent.length;
      await clock.advance(1000);
      if (sent.length > before) times.push(second + 1);
    }
    expect(times).toEqual([10, 30, 70, 130, 190, 250]);
    expect(warnings).toEqual([
      'The operator cannot be told of progress; training goes on, and it is tried again: connect ECONNREFUSED',
    ]);
  });

  test('what comes meanwhile is joined to what was not taken, and all of it sent in the end', async () => {
    const { clock, sent, warnings, operator, pusher } = setUp(down);
    pusher.add(epoch(1));
    await settle();
    pusher.add(epoch(2));
    await clock.advance(10_000);
    operator.post = async () => undefined;
    pusher.add(epoch(3));
    await clock.advance(20_000);
    expect(sent.at(-1)).toEqual({
      ...epoch(3),
      earlier: [
        { epoch: 1, validationAccuracy: 0.01 },
        { epoch: 2, validationAccuracy: 0.02 },
      ],
    });
    expect(warnings.at(-1)).toBe('The operator takes reports again.');
    // And as often as before.
    pusher.add(progressReport(1));
    await clock.advance(5_000);
    expect(sent.at(-1)).toEqual(progressReport(1));
  });

  test.each([401, 403, 404, 500, 503])('as it answers %i, it is tried again', async (status) => {
    const { clock, sent, operator, pusher } = setUp(() => Promise.reject(new PostError(status, '')));
    pusher.add(progressReport(1));
    await settle();
    operator.post = async () => undefined;
    await clock.advance(10_000);
    expect(steps(sent)).toEqual([1, 1]);
  });

  test.each([400, 413, 415])('as it answers %i to a report, that one is dropped', async (status) => {
    const { clock, sent, warnings, operator, pusher } = setUp(() =>
      Promise.reject(new PostError(status, 'what is wrong')),
    );
    pusher.add(epoch(1));
    await settle();
    operator.post = async () => undefined;
    await clock.advance(60_000);
    expect(sent).toHaveLength(1);
    pusher.add(progressReport(2));
    expect(sent.at(-1)).toEqual(progressReport(2));
    expect(warnings).toEqual([
      `The operator does not understand a report, which is dropped: it answered ${status} what is wrong`,
    ]);
  });

  test('an answer that does not come within 5 s is given up', async () => {
    const { clock, sent, warnings, pusher } = setUp(never);
    pusher.add(progressReport(1));
    pusher.add(progressReport(2));
    await clock.advance(4_999);
    expect([sent.length, warnings]).toEqual([1, []]);
    await clock.advance(1);
    expect(warnings).toEqual([expect.stringContaining('no answer within 5 s')]);
    await clock.advance(10_000);
    expect(steps(sent)).toEqual([1, 2]);
  });
});

describe('at the end', () => {
  test('the last report is sent without waiting for its turn', async () => {
    const { clock, sent, pusher } = setUp();
    pusher.add(progressReport(1));
    await settle();
    pusher.add(epoch(9));
    await pusher.close(1_500);
    expect(sent.at(-1)).toEqual(epoch(9));
    expect(clock.pending).toBe(0);
  });

  test('the one that is under way is waited for, then the last is sent', async () => {
    let answer: () => void = () => undefined;
    const { clock, sent, operator, pusher } = setUp(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    pusher.add(progressReport(1));
    pusher.add(progressReport(2));
    const closed = pusher.close(1_500);
    await settle();
    expect(steps(sent)).toEqual([1]);
    operator.post = async () => undefined;
    answer();
    await closed;
    expect(steps(sent)).toEqual([1, 2]);
    expect(clock.pending).toBe(0);
  });

  test('an operator that does not answer is given up in time', async () => {
    const { clock, sent, pusher } = setUp(never);
    pusher.add(progressReport(1));
    pusher.add(progressReport(2));
    let isClosed = false;
    const closed = pusher.close(1_500).then(() => {
      isClosed = true;
    });
    await clock.advance(1_499);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('with nothing to say it is over at once', async () => {
    const { clock, pusher } = setUp(never);
    await pusher.close(1_500);
    expect(clock.pending).toBe(0);
  });
});
