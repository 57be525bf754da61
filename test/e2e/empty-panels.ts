/** By dashboard and title: panels that have nothing to show of the quickstart in a cluster of this kind, and why. */
export const emptyPanels: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
