import { Lab } from './operator.ts';
import { trainerTexts } from './trainer.ts';

/** By file of test/fixtures/metrics: what `/metrics` of our programs say at the start of the golden hour, and at its end. */
export async function labTexts(): Promise<Readonly<Record<string, string>>> {
  const lab = new Lab();
  const before = await lab.text();
  await lab.pass();
  const after = await lab.text();
  const trainer = await trainerTexts();
  return {
    'operator-before.txt': before,
    'operator-after.txt': after,
    'trainer-before.txt': trainer.before,
    'trainer-after.txt': trainer.after,
  };
}
