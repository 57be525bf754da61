import { createInterface } from 'node:readline';

/** Answers the requests of the bench: see contestant.ts. `step` trains on one batch and returns its images. */
export async function serve(step: () => number | Promise<number>): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, count] = line.split(' ');
    if (verb === 'memory') {
      say(String(process.memoryUsage.rss()));
      continue;
    }
    let images = 0;
    const started = performance.now();
    for (let n = Number(count); n > 0; n--) images += await step();
    say(`${(performance.now() - started) / 1000} ${images}`);
  }
}
