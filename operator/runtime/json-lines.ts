/**
 * Values of a stream of JSON, one a line, each as soon as its line is complete.
 *
 * @throws SyntaxError at a line that is not JSON, also one that was cut off by the end of the stream
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<unknown, void, undefined> {
  // Bytes, not text: a character may be spread over two chunks.
  let pending: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      yield* parsed(pending);
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  yield* parsed(pending);
}

function* parsed(parts: readonly Buffer[]): Generator<unknown, void, undefined> {
  const line = Buffer.concat(parts).toString().trim();
  if (line !== '') yield JSON.parse(line);
}
