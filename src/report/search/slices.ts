import { formatAccuracy } from '../../results/format.ts';
import { formatValue } from '../../results/swept.ts';
import { chartFrame, plotArea } from '../charts/frame.ts';
import type { Html } from '../html.ts';
import { parameterAxis } from './parameter-axis.ts';
import { rankedDots } from './ranks.ts';
import type { Study } from './study.ts';

/** Each parameter against accuracy. Trials of one value of few stand beside one another. */
export function sliceCharts({ id, name: study, ranks, known, accuracy, parameters }: Study): readonly Html[] {
  return parameters.map(({ parameter, name }, index) => {
    const log = (parameter.double ?? parameter.integer)?.scale === 'log';
    const x = parameterAxis(parameter, log ? `${name}, logarithmic` : name, plotArea.x);
    const value = (of: (typeof known)[number]) => of.values[parameter.name];
    const without = known.filter((trial) => value(trial) === undefined).length;
    const best = ranks.best && value(ranks.best);
    const told =
      ranks.best && best !== undefined
        ? ` The best, #${ranks.best.number}, has ${formatValue(best)} and ${formatAccuracy({ mean: ranks.best.validationAccuracy })}.`
        : '';
    const missing = without > 0 ? ` Not here are ${without} trials without it.` : '';
    return chartFrame(
      {
        id: `${id}-slice-${index}`,
        title: name,
        description: `${study}: best validation accuracy against ${parameter.name}.${told}${missing}`,
      },
      x,
      accuracy,
      rankedDots(ranks, (trial) => {
        const own = value(trial);
        if (own === undefined) return undefined;
        return [
          x.place(own) + (x.isDiscrete ? aside(trial.number) : 0),
          accuracy.place(trial.validationAccuracy),
        ];
      }),
    );
  });
}

/** Steps of the golden section lie nowhere close to each other. */
function aside(number: number): number {
  return (((number * 0.618034) % 1) - 0.5) * 28;
}
