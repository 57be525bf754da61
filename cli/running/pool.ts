import type { Run, RunStatus } from '@destillml/core/api/run.ts';
import { hasEnded } from '@destillml/core/plan/phases.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import type { Report } from '@destillml/core/protocol/report.ts';
import { readHistory } from '@destillml/trainer/artifacts/history.ts';
import type { Display } from '../progress/display.ts';
import { writeRun } from '../store/run-folder.ts';
import type { Surroundings } from '../surroundings.ts';
import { Events } from './events.ts';
import type { TrainerProcess } from './trainer.ts';
import { afterExit, type Exit, nextStep, reported, started } from './transitions.ts';

export interface PoolOptions {
  readonly surroundings: Surroundings;
  readonly display: Display;
  readonly folderOf: (run: Run) => string;
  readonly assignmentOf: (run: Run) => Assignment;
  /** Runs that train at the same time, at most. */
  readonly parallelism: number;
  readonly retries: number;
  /** Seconds a Run may take in this command. */
  readonly deadlineSeconds?: number | undefined;
}

/** A Run, and what goes on with it in this command. */
type Slot = {
  run: Run;
  process?: TrainerProcess | undefined;
  isAsked: boolean;
  failures: number;
  cancelRetry?: (() => void) | undefined;
  cancelDeadline?: (() => void) | undefined;
  isOverdue: boolean;
};

type Event =
  | { readonly kind: 'report'; readonly slot: Slot; readonly report: Report }
  | { readonly kind: 'exit'; readonly slot: Slot; readonly exit: Exit }
  | { readonly kind: 'retry'; readonly slot: Slot }
  | { readonly kind: 'overdue'; readonly slot: Slot }
  | { readonly kind: 'interrupt' };

/**
 * The Runs of one command and their trainers: what a Run controller and its Jobs are on a cluster.
 *
 * Every change of a Run is on disk before anything follows from it.
 */
export class RunPool {
  readonly #options: PoolOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #events = new Events<Event>();
  readonly #unsubscribe: () => void;
  #isInterrupted = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#unsubscribe = options.surroundings.onInterrupt(() => this.#events.put({ kind: 'interrupt' }));
  }

  get runs(): readonly Run[] {
    return [...this.#slots.values()].map(({ run }) => run);
  }

  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Nothing will happen by itself any more. */
  get isIdle(): boolean {
    return [...this.#slots.values()].every((slot) => !slot.process && !slot.cancelRetry);
  }

  /** Takes in Runs as they are on disk. */
  load(runs: readonly Run[]): void {
    for (const run of runs) this.#slots.set(run.metadata.name, newSlot(run));
  }

  /** Writes a Run that is new or whose spec has changed. */
  put(run: Run): void {
    writeRun(this.#options.folderOf(run), run);
    const slot = this.#slots.get(run.metadata.name);
    if (slot) slot.run = run;
    else this.#slots.set(run.metadata.name, newSlot(run));
  }

  /** Starts, stops and settles what the Runs' specs ask for. True if the status of a Run has changed. */
  act(): boolean {
    let hasChanged = false;
    for (const slot of this.#slots.values()) {
      const processState = {
        isRunning: slot.process !== undefined,
        isRetrying: slot.cancelRetry !== undefined,
        isInterrupted: this.#isInterrupted,
      };
      const step = nextStep(slot.run, processState, this.#options.surroundings.now());
      switch (step.kind) {
        case 'none':
          break;
        case 'launch':
          this.#launch(slot);
          break;
        case 'terminate':
          if (!slot.isAsked) slot.process?.stop();
          slot.isAsked = true;
          break;
        case 'settle':
          this.#setStatus(slot, step.status);
          this.#options.display.changed(slot.run);
          hasChanged = true;
          break;
      }
    }
    return hasChanged;
  }

  /** Waits until something happens, and takes note of it. */
  async next(): Promise<void> {
    const event = await this.#events.take();
    switch (event.kind) {
      case 'report':
        return this.#noteReport(event.slot, event.report);
      case 'exit':
        return this.#noteExit(event.slot, event.exit);
      case 'retry':
        event.slot.cancelRetry = undefined;
        return;
      case 'overdue':
        event.slot.isOverdue = true;
        event.slot.process?.stop();
        return;
      case 'interrupt':
        return this.#interrupt();
    }
  }

  /**
   * Ends everything that is still under way, as after an error of this command: no trainer is left behind. Runs whose
   * trainers end here are started again by the next command.
   */
  async close(): Promise<void> {
    this.#cancelRetries();
    for (const slot of this.#slots.values()) {
      slot.cancelDeadline?.();
      slot.process?.stop();
    }
    while (!this.isIdle) {
      const event = await this.#events.take();
      if (event.kind === 'exit') event.slot.process = undefined;
    }
    this.#unsubscribe();
  }

  #launch(slot: Slot): void {
    const { surroundings, display, folderOf, assignmentOf, parallelism, deadlineSeconds } = this.#options;
    const assignment = assignmentOf(slot.run);
    this.#setStatus(slot, started(slot.run, surroundings.now()));
    slot.isAsked = false;
    // An explanation runs when all others have ended.
    const sharing = assignment.parameters.role === 'explanation' ? 1 : parallelism;
    slot.process = surroundings.trainer.start(assignment, folderOf(slot.run), sharing, {
      onReport: (report) => this.#events.put({ kind: 'report', slot, report }),
      onExit: (exit) => this.#events.put({ kind: 'exit', slot, exit }),
    });
    if (deadlineSeconds !== undefined) {
      slot.cancelDeadline ??= surroundings.after(deadlineSeconds * 1000, () =>
        this.#events.put({ kind: 'overdue', slot }),
      );
    }
    display.started(slot.run);
  }

  #noteReport(slot: Slot, report: Report): void {
    const { display, folderOf } = this.#options;
    if (report.kind === 'note') {
      display.note(slot.run, report.message);
      return;
    }
    const accuracies = report.kind === 'epoch' ? readHistory(folderOf(slot.run)) : [];
    this.#setStatus(slot, reported(slot.run, report, accuracies));
    if (report.kind === 'epoch') display.epoch(slot.run, report.record);
    display.progress(slot.run);
  }

  #noteExit(slot: Slot, exit: Exit): void {
    const { surroundings, display, retries, deadlineSeconds } = this.#options;
    const { status, retryAfterSeconds, isFailure } = afterExit(slot.run, exit, {
      failures: slot.failures,
      retries,
      asked: slot.isAsked || this.#isInterrupted,
      overdue: slot.isOverdue ? deadlineSeconds : undefined,
      now: surroundings.now(),
    });
    slot.process = undefined;
    if (isFailure) slot.failures += 1;
    this.#setStatus(slot, status);
    if (retryAfterSeconds !== undefined) {
      slot.cancelRetry = surroundings.after(retryAfterSeconds * 1000, () =>
        this.#events.put({ kind: 'retry', slot }),
      );
    }
    if (hasEnded(slot.run)) slot.cancelDeadline?.();
    display.changed(slot.run);
  }

  #interrupt(): void {
    const running = [...this.#slots.values()].flatMap(({ process }) => process ?? []);
    if (this.#isInterrupted) {
      for (const process of running) process.kill();
      return;
    }
    this.#isInterrupted = true;
    this.#cancelRetries();
    if (running.length > 0) {
      const who =
        running.length === 1
          ? 'the trainer writes its checkpoint'
          : `${running.length} trainers write their checkpoints`;
      this.#options.display.say(`stopping: ${who} (Ctrl-C again: end at once)`);
    }
  }

  #cancelRetries(): void {
    for (const slot of this.#slots.values()) {
      slot.cancelRetry?.();
      slot.cancelRetry = undefined;
    }
  }

  #setStatus(slot: Slot, status: RunStatus): void {
    slot.run = { ...slot.run, status };
    writeRun(this.#options.folderOf(slot.run), slot.run);
  }
}

function newSlot(run: Run): Slot {
  return { run, isAsked: false, failures: 0, isOverdue: false };
}
