import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { ApiClient } from './api-client.ts';
import { ApiError, isAlreadyExists, isNotFound } from './api-error.ts';
import { type Clock, microTime, type Random } from './clock.ts';
import type { KubeObject, ObjectMeta, Resource } from './resource.ts';
import { WorkQueue } from './work-queue.ts';

/** What happened to an object, for people who describe it. */
export type Happening = {
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** Why, in one CamelCase word, such as `TeacherSucceeded`. */
  readonly reason: string;
  /** What the operator did or tried, in one CamelCase word, such as `CreateJob`. */
  readonly action: string;
  /** For people; cut after 1024 bytes. */
  readonly note: string;
};

/** events.k8s.io/v1 Event, as far as it is written here. */
export type KubeEvent = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  /** MicroTime of the first time. */
  readonly eventTime: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly action: string;
  readonly reason: string;
  readonly regarding: ObjectReference;
  readonly note: string;
  readonly type: 'Normal' | 'Warning';
};

type ObjectReference = {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
};

export const events: Resource<KubeEvent> = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};

export type EventRecorderOptions = {
  readonly client: Pick<ApiClient, 'create' | 'patch'>;
  /** Such as `destillml.io/operator`. */
  readonly controller: string;
  /** Of this process, such as its pod's name. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** The same thing again within this time is the same Event; milliseconds, as client-go. */
const seriesTime = 6 * 60_000;
/** An Event that goes on is written this often at most, with its count so far; milliseconds. */
const seriesPause = 30_000;
/** Events remembered at once; beyond them new ones are dropped. */
const capacity = 1_000;
const maxAttempts = 4;
const maxNote = 1024;

/**
 * Writes Events in the background: recording one takes no time and never fails.
 *
 * Events are a help, not a record: they are dropped where too many wait, or where the API server will not have them.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #queue: WorkQueue;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ clock: options.clock, backOff: { base: 1_000, cap: 10_000 } });
  }

  /** Events that were never written, or not with their last count. */
  get dropped(): number {
    return this.#dropped;
  }

  record(happening: Happening): void {
    const now = this.#options.clock.now();
    const event = this.#event(happening, now);
    const key = keyOfSeries(event);
    const known = this.#series.get(key);
    if (known !== undefined && now - known.last < seriesTime) {
      known.count += 1;
      known.last = now;
      this.#plan(key, known);
      return;
    }
    this.#forgetOld(now);
    if (this.#series.size >= capacity) {
      this.#dropped += 1;
      return;
    }
    const series = { event, count: 1, written: 0, last: now, writtenAt: 0, planned: false };
    this.#series.set(key, series);
    this.#plan(key, series);
  }

  /** Writes what is recorded until `signal` is aborted. It never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => void this.#queue.shutDown();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      const series = this.#series.get(key);
      if (series !== undefined) await this.#write(key, series, signal);
      this.#queue.done(key);
    }
    signal.removeEventListener('abort', stop);
  }

  /** A new Event is written at once, and so is its becoming a series; a series no more often than its pause allows. */
  #plan(key: string, series: Series): void {
    if (series.planned) return;
    series.planned = true;
    const due = series.written < 2 ? 0 : series.writtenAt + seriesPause - this.#options.clock.monotonic();
    this.#queue.addAfter(key, due);
  }

  async #write(key: string, series: Series, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const { count, last } = series;
    try {
      await this.#send(series, count, last, signal);
      series.written = count;
      series.writtenAt = clock.monotonic();
      series.planned = false;
      this.#queue.forget(key);
      if (series.count > count) this.#plan(key, series);
    } catch (error) {
      if (signal.aborted) return;
      const hopeless = error instanceof ApiError && error.status < 500 && error.status !== 429;
      if (!hopeless && this.#queue.failures(key) < maxAttempts - 1) {
        this.#queue.retry(key);
        return;
      }
      this.#queue.forget(key);
      this.#dropped += 1;
      this.#series.delete(key);
      log.warn(
        { err: error, reason: series.event.reason, regarding: series.event.regarding },
        'event dropped',
      );
    }
  }

  async #send({ event, written }: Series, count: number, last: number, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const series = count > 1 ? { series: { count, lastObservedTime: microTime(last) } } : {};
    if (written > 0) {
      try {
        await client.patch(events, event.metadata, series, signal);
        return;
      } catch (error) {
        // Events live for an hour.
        if (!isNotFound(error)) throw error;
      }
    }
    try {
      await client.create(events, { ...event, ...series }, signal);
    } catch (error) {
      // It had been written, although no answer came.
      if (!isAlreadyExists(error)) throw error;
      if (count > 1) await client.patch(events, event.metadata, series, signal);
    }
  }

  #event({ regarding, type, reason, action, note }: Happening, now: number): KubeEvent {
    const { controller, instance, random } = this.#options;
    const { apiVersion, kind, metadata } = regarding;
    const { namespace, name, uid, resourceVersion } = metadata;
    const suffix = `${now.toString(16)}${Math.floor(random() * 2 ** 20).toString(16)}`;
    return {
      metadata: { name: `${name.slice(0, 200)}.${suffix}`, namespace: namespace ?? 'default' },
      eventTime: microTime(now),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      action,
      reason,
      regarding: { apiVersion, kind, namespace, name, uid, resourceVersion },
      note: cut(note, maxNote),
      type,
    };
  }

  #forgetOld(now: number): void {
    for (const [key, { last, count, written }] of this.#series) {
      if (now - last >= seriesTime && count === written) this.#series.delete(key);
    }
  }
}

type Series = {
  readonly event: KubeEvent;
  count: number;
  /** Count that was last written, 0 if the Event is not there yet. */
  written: number;
  /** When it last happened, in milliseconds since 1970. */
  last: number;
  /** Monotonic milliseconds. */
  writtenAt: number;
  /** Whether it waits to be written. */
  planned: boolean;
};

function keyOfSeries({ regarding, type, reason, action, note }: KubeEvent): string {
  const { apiVersion, kind, namespace, name, uid } = regarding;
  const same = [apiVersion, kind, namespace, name, uid, type, reason, action, note];
  return createHash('sha256').update(JSON.stringify(same)).digest('base64');
}

/** The beginning of a text, at most so many bytes of it, without half a character at the end. */
function cut(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  const end = '…';
  const kept = whole.subarray(0, bytes - Buffer.byteLength(end)).toString();
  return `${kept.replace(/\uFFFD$/, '')}${end}`;
}
