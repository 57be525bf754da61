import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validateExperiment } from '@destillml/core/api/validate.ts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const examples = join(import.meta.dirname, '../../../examples');

describe('examples', () => {
  it.each(['quickstart', 'cifar100-resnet', 'sweep', 'sweep-quickstart'])(
    '%s is a valid Experiment',
    (name) => {
      const document: unknown = parse(readFileSync(join(examples, `${name}.yaml`), 'utf8'));
      expect(validateExperiment(document)).toEqual([]);
    },
  );
});
