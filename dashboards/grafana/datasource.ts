/** The Prometheus that the reader chose. */
export const datasource = { type: 'prometheus', uid: `\${datasource}` } as const;
