import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import type { ReconcileResult } from '../runtime/controller.ts';
import type { EventRecorder } from '../runtime/events.ts';
import { type KubeObject, keyOf } from '../runtime/resource.ts';
import { type Refusal, WriteRefused } from './write-refused.ts';

export type RefusalsDeps = {
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly log: Logger;
};

/** What is refused of one object. */
type Known = {
  /** Monotonic milliseconds. */
  readonly since: number;
  /** What was told of it, by its essence. */
  readonly told: Map<string, Refusal>;
};

/** Different refusals of one object that are remembered; those of a policy that never says the same twice are told again. */
const remembered = 16;
/** How long the API server may be in trouble before it is told of, in milliseconds. */
const patience = 5_000;

/**
 * Tells of writes that the API server refuses, on the objects that they are for: in the log and by an Event, once each,
 * however often they are tried; and by whatever status their controller writes.
 *
 * It remembers what it told until a reconcile of the object is refused nothing any more.
 */
export class Refusals {
  readonly #deps: RefusalsDeps;
  readonly #known = new Map<string, Known>();

  constructor(deps: RefusalsDeps) {
    this.#deps = deps;
  }

  /**
   * What becomes of a reconcile that failed.
   *
   * @param report writes it into the status of the object
   * @throws what `report` throws; and `error`, if no rule that users can keep is what refuses it
   */
  async handle(
    object: KubeObject,
    error: unknown,
    report: (refusal: Refusal) => Promise<void>,
  ): Promise<ReconcileResult> {
    if (!(error instanceof WriteRefused)) throw error;
    const refusal = this.tell(object, error);
    try {
      if (refusal !== undefined) await report(refusal);
    } catch (other) {
      if (other instanceof WriteRefused) this.tell(object, other);
      throw other;
    }
    if (!error.isRule) throw error;
    return { retry: true };
  }

  /** @returns what to say of it: the words that were used first; undefined as long as it may pass by itself */
  tell(object: KubeObject, { refusal, mayPass }: WriteRefused): Refusal | undefined {
    const { recorder, clock, log } = this.#deps;
    const { name, namespace } = object.metadata;
    const key = keyOf(object.metadata);
    const known = this.#known.get(key) ?? { since: clock.monotonic(), told: new Map() };
    this.#known.set(key, known);
    const before = known.told.get(essenceOf(refusal));
    if (before !== undefined) return before;
    if (mayPass && clock.monotonic() - known.since < patience) return undefined;
    if (known.told.size >= remembered) known.told.clear();
    known.told.set(essenceOf(refusal), refusal);
    const { reason, message } = refusal;
    log.warn({ kind: object.kind, namespace, name, reason }, message);
    recorder.record({ regarding: object, type: 'Warning', reason, action: 'Write', note: message });
    return refusal;
  }

  /** Nothing is refused of that object any more, or it is gone. */
  settled(key: string): void {
    this.#known.delete(key);
  }
}

/** The same but for numbers and identifiers, which may differ from try to try. */
function essenceOf({ reason, message }: Refusal): string {
  return `${reason} ${message.replace(/[0-9a-f-]{8,}|\d+/gi, '#')}`;
}
