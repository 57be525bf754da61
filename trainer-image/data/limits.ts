/**
 * What is unpacked of archives. Real data sets stay far below (ImageNet has 1.3 million files, the largest of 16 MB, and
 * images hardly compress); what goes beyond is made to fill memory or disk.
 */
export interface Limits {
  /** Files, folders and links of an archive. */
  readonly entries: number;
  /** Links among them. */
  readonly links: number;
  /** Bytes of one file. */
  readonly entryBytes: number;
  /** Bytes of all files. */
  readonly bytes: number;
  /** Bytes of a file that is read into memory as a whole. */
  readonly inMemoryBytes: number;
  /** Bytes that one compressed byte may become, once `freeBytes` have come out of an archive. */
  readonly ratio: number;
  readonly freeBytes: number;
  /** Bytes of a name and of other things about an entry. */
  readonly descriptionBytes: number;
}

const gib = 2 ** 30;

export const defaultLimits: Limits = {
  entries: 4_000_000,
  links: 100_000,
  entryBytes: 2 * gib,
  bytes: 1024 * gib,
  inMemoryBytes: gib / 4,
  ratio: 100,
  freeBytes: gib / 4,
  descriptionBytes: 2 ** 20,
};

/** What to do where a limit is in the way. */
export const pastLimits =
  'If the archive is to be trusted, unpack it yourself and give its folder: dataset.source.directory or persistentVolumeClaim.';
