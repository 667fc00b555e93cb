import { describe, expect, it } from 'vitest';
import { parameterFacts } from './parameter-facts.ts';
import { type ParameterName, parameterDefinitions } from './parameters.ts';

const facts = Object.entries(parameterFacts) as [ParameterName, (typeof parameterFacts)[ParameterName]][];
const isNumber = (name: ParameterName): boolean =>
  typeof parameterDefinitions[name].defaultValue === 'number';

describe('what operators are told of parameters', () => {
  it.each(facts.filter(([name]) => isNumber(name)))(
    '%s: the limits are those that are kept',
    (name, { limits, unit }) => {
      const [, least, most] = /^(\d+) to (\d+)$/.exec(limits) ?? [];
      const { refusal } = parameterDefinitions[name];
      expect([refusal(Number(least)), refusal(Number(most))]).toEqual([null, null]);
      expect(refusal(Number(least) - 1)).toContain(least);
      expect(refusal(Number(most) + 1)).toContain(most);
      expect(unit).not.toBeNull();
    },
  );

  it.each(facts.filter(([name]) => !isNumber(name)))(
    '%s: a switch and a choice name all that is allowed',
    (name, { limits }) => {
      const { refusal, defaultValue } = parameterDefinitions[name];
      if (typeof defaultValue === 'boolean') {
        expect([refusal(true), refusal(false), refusal('yes')]).toEqual([
          null,
          null,
          'must be true or false',
        ]);
        expect(limits).toBe('true or false');
      }
      if (/^\w+(, \w+)+ or \w+$/.test(limits)) {
        for (const word of limits.split(/, | or /)) expect(refusal(word)).toBeNull();
      }
      expect(refusal({})).not.toBeNull();
    },
  );
});
