import { z } from 'zod';

/** One series: its labels, and its values by time in seconds. */
export type Series = {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [seconds: number, value: number])[];
};

export type Range = { readonly start: number; readonly end: number; readonly step: number };

const labels = z.record(z.string(), z.string());
const point = z.tuple([z.number(), z.string().transform(toNumber)]);
const found = z.discriminatedUnion('resultType', [
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.array(point) })),
  }),
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: labels, value: point })) }),
  z.object({ resultType: z.literal('scalar'), result: point }),
]);
const answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('success'), data: z.unknown() }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

/** The HTTP API of a Prometheus. */
export class Prometheus {
  readonly #url: URL;
  readonly #fetch: typeof fetch;

  /** @param url such as http://localhost:9090, or with the path that it is behind */
  constructor(url: string, send: typeof fetch = fetch) {
    this.#url = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#fetch = send;
  }

  /** @param time in seconds */
  async instant(query: string, time: number): Promise<readonly Series[]> {
    return seriesIn(await this.#get('api/v1/query', { query, time: String(time) }));
  }

  async range(query: string, { start, end, step }: Range): Promise<readonly Series[]> {
    const parameters = { query, start: String(start), end: String(end), step: String(step) };
    return seriesIn(await this.#get('api/v1/query_range', parameters));
  }

  /** Values that a label has in series of that selector, in order. */
  async labelValues(label: string, selector: string, { start, end }: Range): Promise<readonly string[]> {
    const parameters = { 'match[]': selector, start: String(start), end: String(end) };
    return z.array(z.string()).parse(await this.#get(`api/v1/label/${label}/values`, parameters));
  }

  async #get(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const url = new URL(path, this.#url);
    url.search = new URLSearchParams(parameters).toString();
    const response = await this.#fetch(url, { signal: AbortSignal.timeout(30_000) });
    const body = answer.parse(await response.json());
    if (body.status === 'error')
      throw new Error(`Prometheus refuses "${parameters.query ?? path}": ${body.error}`);
    return body.data;
  }
}

function seriesIn(data: unknown): readonly Series[] {
  const parsed = found.parse(data);
  switch (parsed.resultType) {
    case 'matrix':
      return parsed.result.map(({ metric, values }) => ({ labels: metric, points: values }));
    case 'vector':
      return parsed.result.map(({ metric, value }) => ({ labels: metric, points: [value] }));
    case 'scalar':
      return [{ labels: {}, points: [parsed.result] }];
  }
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}
