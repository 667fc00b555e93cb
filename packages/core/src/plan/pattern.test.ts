import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesPattern, type Pattern, parsePattern } from './pattern.ts';

function pattern(text: string): Pattern {
  const parsed = parsePattern(text);
  if ('kind' in parsed) throw new Error(parsed.detail);
  return parsed;
}

const matches = (text: string, name: string, tags: Record<string, string> = {}): boolean =>
  matchesPattern(pattern(text), { name, tags });

describe('a pattern', () => {
  it.each([
    ['Prod*', 'Prod', true],
    ['Prod*', 'Production', true],
    ['Prod*', 'prod1', false],
    ['Device*QA*', 'DeviceQA', true],
    ['Device*QA*', 'Device-QA-7', true],
    ['Device*QA*', 'DeviceA', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab*ab*', 'abab', true],
    ['*ab*ab*', 'abb', false],
    ['TEST8, TEST9', 'TEST9', true],
    [' TEST8 ,TEST9', 'TEST8', true],
    ['TEST8, TEST9', 'TEST7', false],
    ['QA*, !QA2', 'QA1', true],
    ['QA*, !QA2', 'QA2', false],
    ['!QA2', 'QA1', true],
    ['!QA2', 'QA2', false],
    ['a.c', 'abc', false],
    ['[ab]', '[ab]', true],
    ['*', '', true],
  ])('%s against %s is %s', (text, name, expected) => {
    expect(matches(text, name)).toBe(expected);
  });

  it('looks at tags with tag:key=value', () => {
    expect(matches('tag:env=QA', 'x', { env: 'QA' })).toBe(true);
    expect(matches('tag:env=Q*', 'x', { env: 'QA' })).toBe(true);
    expect(matches('tag:env=QA', 'x', { env: 'PROD' })).toBe(false);
    expect(matches('tag:env=QA', 'tag:env=QA')).toBe(false);
    expect(matches('*, !tag:site=north', 'x', { site: 'north' })).toBe(false);
    expect(matches('tag:constructor=*', 'x')).toBe(false);
  });

  it.each(['', ' ', 'a,,b', 'a,', '!', 'tag:env', 'tag:=x'])('"%s" is refused', (text) => {
    expect(parsePattern(text)).toHaveProperty('kind', 'PATTERN_INVALID');
  });

  it('agrees with a regular expression on generated texts', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), minLength: 1, maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 });
    fc.assert(
      fc.property(piece, text, (glob, name) => {
        const source = glob.replaceAll('.', '\\.').replaceAll('*', '.*');
        expect(matches(glob, name)).toBe(new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 5000 },
    );
  });
});
