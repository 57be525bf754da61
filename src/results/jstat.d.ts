/** What is used of it: it comes without types. */
declare module 'jstat' {
  const jstat: {
    readonly studentt: {
      /** The value below which a share `p` of Student's t with so many degrees of freedom lies. */
      readonly inv: (p: number, freedom: number) => number;
      readonly cdf: (value: number, freedom: number) => number;
    };
  };
  export default jstat;
}
