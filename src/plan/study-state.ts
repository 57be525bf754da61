import type { Run } from '../api/run.ts';
import type { Promotion, Standings } from '../search/asha.ts';
import type { Study } from '../search/study.ts';
import type { Treatment } from './naming.ts';
import type { Stop } from './stop.ts';
import type { BestRun, StudyPart } from './study-part.ts';

/** One search: over what one student is trained with in one way, or the teacher. */
export type PlannedStudy = {
  readonly study: Study;
  readonly maxRuns: number;
  /** Of its Runs, apart from what they try and from the teacher. */
  readonly treatment: Treatment;
};

export type StudyState = PlannedStudy & {
  /** Its Runs. */
  readonly parts: readonly StudyPart[];
  /** What those of each part reported at rungs. */
  readonly standings: readonly Standings[];
  /** Its Runs that have neither ended nor rest at a rung, by number. */
  readonly running: readonly Run[];
  /**
   * open: Runs may be added. closing: it is over, and Runs that have to end have not. ended: its best configuration is
   * known. failed: there will be none.
   */
  readonly state: 'open' | 'closing' | 'ended' | 'failed';
  /** Why it is over; undefined while it is open. */
  readonly over: { readonly reason: string; readonly message: string } | undefined;
  /** The Run that is to be trained on next, while it is open. */
  readonly promotion: Promotion | undefined;
  /** The Run with the highest validation accuracy that was reported so far. */
  readonly best: BestRun | undefined;
  /** Runs that fell behind, or are still under way although it is over. */
  readonly stops: readonly Stop[];
};
