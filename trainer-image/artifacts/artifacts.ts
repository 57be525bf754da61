/** Folders of this machine in which training reads and writes. */
export interface ArtifactFolders {
  readonly own: string;
  /** Of the teacher, whose best checkpoint is read. */
  readonly teacher?: string | undefined;
  /** In which those of the other Runs are, by their names: what an explanation reads. */
  readonly runs: string;
}

/** Where the files of a Run are while it works, and how they come to where they are kept. */
export interface Artifacts {
  readonly folders: ArtifactFolders;
  /** Keeps what the folder holds at this moment. It does not wait. */
  readonly saved: () => void;
  /** Aborted, with a DestillError as reason, where nothing could be kept for too long. */
  readonly lost: AbortSignal;
  /** Resolves once everything is kept. @throws DestillError `StorageUnavailable` where it cannot be */
  readonly finish: () => Promise<void>;
  /** A text of the work that names addresses instead of folders that nobody else sees. */
  readonly named: (text: string) => string;
  /** Ends it. What is not kept yet has a moment left. */
  readonly close: () => Promise<void>;
}

/** What a kind of work reads and keeps of its files. */
export interface Keeping {
  /** Written last, in this order: whoever sees the last of them sees all. */
  readonly ends: readonly string[];
  /** Whether the folder, once it has those files, leaves nothing to do. */
  readonly isFinished: (folder: string) => boolean;
  /** Which of the files that are kept the work goes on from, in the order in which they are to be read. */
  readonly resumes: (kept: readonly string[]) => readonly string[];
  /** Whether a file of another Run of the Experiment is read. */
  readonly reads?: (run: string, file: string) => boolean;
  /** Files that are kept whenever they change, in this order; without it, the whole folder is kept in the end. */
  readonly changing?: readonly string[];
}

export interface ArtifactDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a store may be away, in milliseconds. */
  readonly patience: number;
  readonly warn: (message: string) => void;
  /** Aborted on SIGTERM: what is not kept yet has a moment left. */
  readonly signal: AbortSignal;
}

/** Files are where they are kept already, or are only read. */
export const nothingToKeep: Pick<Artifacts, 'saved' | 'lost' | 'finish'> = {
  saved: () => undefined,
  lost: new AbortController().signal,
  finish: async () => undefined,
};
