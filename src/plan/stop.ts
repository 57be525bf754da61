/** A Run to end, and why. */
export type Stop = { readonly name: string; readonly reason: string; readonly message: string };
