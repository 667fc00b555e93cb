import { expect, it } from 'vitest';
import { checkHouseRules } from '../../tools/check/house-rules.ts';

const lines = (count: number) => 'x();\n'.repeat(count);

it('a file of 401 lines is too long, one of 400 is not', () => {
  expect(checkHouseRules([{ path: 'packages/core/src/long.ts', text: lines(401) }])).toHaveLength(1);
  expect(checkHouseRules([{ path: 'packages/core/src/long.ts', text: lines(400) }])).toEqual([]);
});

it.each(['utils', 'helpers', 'common', 'types', 'manager', 'base', 'misc'])(
  'no file or folder is called %s',
  (name) => {
    expect(checkHouseRules([{ path: `packages/core/src/${name}.ts`, text: '' }])).toHaveLength(1);
    expect(checkHouseRules([{ path: `packages/core/src/${name}/plan.ts`, text: '' }])).toHaveLength(1);
    expect(checkHouseRules([{ path: `tests/e2e/${name}.test.ts`, text: '' }])).toHaveLength(1);
  },
);

it('a word that only contains such a name is fine', () => {
  expect(checkHouseRules([{ path: 'packages/core/src/database-types-map.ts', text: '' }])).toEqual([]);
});

it.each(['Plan.ts', 'planPattern.ts', 'plan_pattern.ts'])('%s is not in kebab-case', (name) => {
  expect(checkHouseRules([{ path: `packages/core/src/${name}`, text: '' }])).toHaveLength(1);
});

it.each(['see /home/ann/notes', 'in /work/main/packages', 'as shared/spec says'])(
  '"%s" names one machine',
  (text) => {
    expect(checkHouseRules([{ path: 'docs/notes.md', text }])).toEqual([
      'docs/notes.md:1 names a path of one machine',
    ]);
  },
);

it('a path of a product is not a path of one machine', () => {
  const text = 'https://example.com/work/plan and packages/work/src and /var/lib/stillpoint';
  expect(checkHouseRules([{ path: 'docs/notes.md', text }])).toEqual([]);
});
