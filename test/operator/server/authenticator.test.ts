import { describe, expect, test } from 'vitest';
import { Authenticator } from '../../../operator/server/authenticator.ts';
import { reviewsBy } from '../../../operator/server/reviews.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import { podUser, ReviewServer } from './world.ts';

function authenticator(audience: string | undefined = 'destillml') {
  const server = new ReviewServer();
  server.tokens.set('good', { user: podUser(), audience: 'destillml' });
  const clock = new FakeClock();
  return { server, clock, subject: new Authenticator({ reviews: server.reviews, audience, clock }) };
}

describe('an authenticator', () => {
  test('asks for each token once a minute', async () => {
    const { server, clock, subject } = authenticator();
    for (let request = 0; request < 3; request++) {
      expect(await subject.authenticate('Bearer good')).toEqual(podUser());
    }
    await clock.advance(59_999);
    await subject.authenticate('Bearer good');
    expect(server.asked).toHaveLength(1);

    server.tokens.delete('good');
    await clock.advance(1);
    await expect(subject.authenticate('Bearer good')).rejects.toMatchObject({ status: 401 });
    expect(server.asked).toHaveLength(2);
  });

  test('asks once for requests at the same time', async () => {
    const { server, subject } = authenticator();
    await Promise.all([subject.authenticate('Bearer good'), subject.authenticate('Bearer good')]);
    expect(server.asked).toHaveLength(1);
  });

  test('remembers refusals as long, and each token by itself', async () => {
    const { server, subject } = authenticator();
    for (const token of ['bad', 'bad', 'worse', 'good']) {
      await subject.authenticate(`Bearer ${token}`).catch(() => undefined);
    }
    expect(server.asked).toHaveLength(3);
  });

  test('does not remember that the API server did not answer', async () => {
    const { server, subject } = authenticator();
    server.isDown = true;
    await expect(subject.authenticate('Bearer good')).rejects.toMatchObject({ status: 503 });
    server.isDown = false;
    expect(await subject.authenticate('Bearer good')).toEqual(podUser());
  });

  test.each([undefined, '', 'good', 'Basic good', 'Bearer', 'Bearer good more', 'Bearer gööd'])(
    'asks nobody about the header %j',
    async (header) => {
      const { server, subject } = authenticator();
      await expect(subject.authenticate(header)).rejects.toMatchObject({ status: 401 });
      expect(server.asked).toEqual([]);
    },
  );

  test('takes the word of no API server that knows nothing of audiences', async () => {
    const reviews = reviewsBy({
      request: async <T>() => ({ status: { authenticated: true, user: podUser() } }) as T,
    });
    const strict = new Authenticator({ reviews, audience: 'destillml', clock: new FakeClock() });
    await expect(strict.authenticate('Bearer good')).rejects.toMatchObject({ status: 401 });
    const own = new Authenticator({ reviews, audience: undefined, clock: new FakeClock() });
    expect(await own.authenticate('Bearer good')).toEqual(podUser());
  });
});
