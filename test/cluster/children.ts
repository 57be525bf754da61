import { binary, Child, type Launch, tied } from './child.ts';
import type { Folder } from './folder.ts';

/** Servers of one cluster, by their names. */
export class Children {
  readonly #folder: Folder;
  readonly #launch: Launch;
  readonly #children = new Map<string, { readonly child: Child; readonly start: () => Child }>();

  /** @param folder takes their logs, `NAME.log` */
  constructor(folder: Folder, launch: Launch = tied) {
    this.#folder = folder;
    this.#launch = launch;
  }

  /** Ids of their processes. */
  get pids(): Readonly<Record<string, number>> {
    const entries = [...this.#children].map(([name, { child }]) => [name, child.pid] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, number] => entry[1] !== undefined));
  }

  /** @param path of the server; of the one of its name that test/cluster/build.sh built, unless told */
  start(name: string, flags: readonly string[], path = binary(name)): void {
    const start = () => new Child(path, flags, this.#folder.file(`${name}.log`), this.#launch);
    this.#children.set(name, { child: start(), start });
  }

  /** @param between what is done while it is away */
  async restart(name: string, between: () => void | Promise<void> = () => undefined): Promise<void> {
    const old = this.#children.get(name);
    if (old === undefined) throw new Error(`${name} was never started`);
    await old.child.stop();
    await between();
    this.#children.set(name, { child: old.start(), start: old.start });
  }

  /** @throws Error with the end of its log, if one of them is no longer there */
  check(): void {
    for (const { child } of this.#children.values()) child.check();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.values()].map(({ child }) => child.stop()));
  }
}
