import type { Logger } from 'pino';
import type { ApiClient } from './api-client.ts';
import { isAlreadyExists, isConflict, isNotFound } from './api-error.ts';
import { jittered } from './back-off.ts';
import { type Clock, microTime, type Random, sleep } from './clock.ts';
import { deadline } from './deadline.ts';
import { held, isFree, type Lease, leases, type Observation, observe, released } from './lease.ts';

export type LeaderElectionOptions = {
  /** One of its own, without a limit: a leader that waits for its turn to renew is soon none. */
  readonly client: Pick<ApiClient, 'get' | 'create' | 'update'>;
  readonly lease: { readonly name: string; readonly namespace: string };
  /** Of this candidate, unlike any other's: host_uuid. */
  readonly identity: string;
  readonly times?: ElectionTimes;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Called when this candidate becomes the leader, and when it no longer is. */
  readonly onChange?: (leads: boolean) => void;
};

/** In milliseconds. */
export type ElectionTimes = {
  /** How long others wait for a leader that they no longer hear of. */
  readonly lease: number;
  /** How long a leader goes on that cannot renew. Shorter than `lease`: two never lead at once. */
  readonly renewDeadline: number;
  /** Between attempts. */
  readonly retry: number;
};

/** As controller-runtime. */
const usualTimes: ElectionTimes = { lease: 15_000, renewDeadline: 10_000, retry: 2_000 };
const acquireJitter = 1.2;

/** How leading ended: `stopped` when asked to, with the lease released; `lost` to others, or to a silent API server. */
export type ElectionEnd = 'stopped' | 'lost';

/** One candidate for leading, as in client-go: whoever holds the Lease leads. */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #times: ElectionTimes;
  #observed: Observation | undefined;
  /** Monotonic milliseconds up to which this candidate leads unless it renews; undefined while it does not lead. */
  #leadsUntil: number | undefined;
  #leads = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#times = options.times ?? usualTimes;
  }

  /** Whether this candidate leads now; false as soon as its time is over, even before it learnt that it is. */
  get isLeader(): boolean {
    return this.#leadsUntil !== undefined && this.#options.clock.monotonic() < this.#leadsUntil;
  }

  /** Who leads as far as this candidate knows; empty if nobody does. */
  get holder(): string {
    return this.#observed?.lease.spec?.holderIdentity ?? '';
  }

  /**
   * Waits for the lease, leads while it holds, then releases it.
   *
   * @param lead what the leader does; its signal is aborted when it has to end: because `signal` was, or the lease is
   *   lost. The lease is held until it has ended.
   * @throws what `lead` throws, with the lease released
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<ElectionEnd> {
    if (!(await this.#acquire(signal))) return 'stopped';
    this.#options.log.info({ identity: this.#options.identity }, 'leading');
    this.#options.onChange?.(true);
    this.#leads = true;
    try {
      return await this.#lead(lead, signal);
    } finally {
      this.#end();
    }
  }

  async #lead(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<ElectionEnd> {
    const leading = new AbortController();
    const renewing = new AbortController();
    const stop = () => leading.abort(signal.reason);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const renewal = this.#renew(renewing.signal).then((lost) => {
      if (lost) {
        this.#end();
        this.#options.log.error({ identity: this.#options.identity }, 'no longer leading');
        leading.abort(new Error('the lease is lost'));
      }
      return lost;
    });
    try {
      await lead(leading.signal);
    } catch (error) {
      if (!leading.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      renewing.abort();
      if (!(await renewal)) await this.#release();
    }
    return (await renewal) ? 'lost' : 'stopped';
  }

  #end(): void {
    this.#leadsUntil = undefined;
    if (this.#leads) this.#options.onChange?.(false);
    this.#leads = false;
  }

  /** @returns whether this candidate has the lease; false if it was asked to stop */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      if (await this.#attempt(this.#times.renewDeadline, signal)) return true;
      await sleep(clock, jittered(this.#times.retry, acquireJitter, random()), signal).catch(() => undefined);
    }
    return false;
  }

  /** Renews the lease until `signal` is aborted. @returns whether it was lost before */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const left = (this.#leadsUntil ?? 0) - clock.monotonic();
      if (left <= 0) return true;
      const wait = Math.min(this.#times.retry, left);
      if (await sleep(clock, wait, signal).then(noAbort, onAbort)) return false;
      const remaining = (this.#leadsUntil ?? 0) - clock.monotonic();
      if (remaining <= 0) return true;
      if (!(await this.#attempt(remaining, signal)) && this.#isTaken()) return !signal.aborted;
    }
    return false;
  }

  /** Somebody else has the lease. */
  #isTaken(): boolean {
    return this.holder !== '' && this.holder !== this.#options.identity;
  }

  /** Takes or renews the lease if that is possible within so many milliseconds. It never fails. */
  async #attempt(within: number, signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#options;
    const late = () => new Error('the lease could not be renewed in time');
    const limit = deadline(clock, within, late, signal);
    // From before the request: others count from when it arrives.
    const started = clock.monotonic();
    try {
      if (!(await this.#take(limit.signal))) return false;
      this.#leadsUntil = started + this.#times.renewDeadline;
      return true;
    } catch (error) {
      // Somebody else was faster: nothing to tell of.
      if (!signal.aborted && !isConflict(error) && !isAlreadyExists(error)) {
        log.warn({ err: error }, 'the lease could not be read or written');
      }
      return false;
    } finally {
      limit.close();
    }
  }

  async #take(signal: AbortSignal): Promise<boolean> {
    const { client, lease: ref, identity, clock } = this.#options;
    const spec = (before?: Lease) =>
      held(before?.spec, identity, this.#times.lease / 1000, microTime(clock.now()));
    const lease = await client.get(leases, ref, signal).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (lease === undefined) {
      return this.#see(await client.create(leases, { metadata: ref, spec: spec() }, signal));
    }
    this.#observed = observe(this.#observed, lease, clock.monotonic());
    if (!isFree(this.#observed, identity, clock.monotonic())) return false;
    return this.#see(await client.update(leases, { ...lease, spec: spec(lease) }, signal));
  }

  #see(lease: Lease): true {
    this.#observed = { lease, since: this.#options.clock.monotonic() };
    return true;
  }

  /** So that the next leader need not wait. It never fails: if it cannot be released, it runs out. */
  async #release(): Promise<void> {
    const { clock, log } = this.#options;
    const never = new AbortController().signal;
    const late = () => new Error('the lease could not be released in time');
    const limit = deadline(clock, this.#times.retry, late, never);
    try {
      // A renewal that was broken off may still arrive between reading and writing; there is at most one.
      await this.#giveUp(limit.signal).catch((error: unknown) => {
        if (isConflict(error)) return this.#giveUp(limit.signal);
        throw error;
      });
    } catch (error) {
      log.warn({ err: error }, 'the lease could not be released');
    } finally {
      limit.close();
    }
  }

  async #giveUp(signal: AbortSignal): Promise<void> {
    const { client, clock, lease: ref, identity } = this.#options;
    const lease = await client.get(leases, ref, signal);
    if (lease.spec?.holderIdentity !== identity) return;
    const spec = released(lease.spec, microTime(clock.now()));
    this.#see(await client.update(leases, { ...lease, spec }, signal));
  }
}

function noAbort(): boolean {
  return false;
}

function onAbort(): boolean {
  return true;
}
