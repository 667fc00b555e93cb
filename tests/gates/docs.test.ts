import { expect, it } from 'vitest';
import { checkDocs } from '../../tools/check/check-docs.ts';

const record = { path: 'docs/adr/0001-plan.md', text: '# 1\n' };
const listing = [
  { path: 'docs/adr/README.md', text: '[one](0001-plan.md)' },
  { path: 'ARCHITECTURE.md', text: '# The tree\n[one](docs/adr/0001-plan.md) [a folder](docs/adr/)' },
  record,
];

it('links that lead to files, folders, headings and other sites are fine', () => {
  const page = {
    path: 'README.md',
    text: '[a](ARCHITECTURE.md#the-tree) [b](https://example.com/x) `[c](no.md)`',
  };
  expect(checkDocs([page, ...listing])).toEqual([]);
});

it.each([
  ['[a](missing.md)', 'docs/page.md: the link missing.md leads nowhere'],
  ['[a](../docs/missing)', 'docs/page.md: the link ../docs/missing leads nowhere'],
  ['[a]: missing.md', 'docs/page.md: the link missing.md leads nowhere'],
  ['[a](../ARCHITECTURE.md#the-wood)', 'docs/page.md: ARCHITECTURE.md has no heading #the-wood'],
])('%s is a broken link', (text, problem) => {
  expect(checkDocs([{ path: 'docs/page.md', text }, ...listing])).toEqual([problem]);
});

it('a decision that an index does not list is found', () => {
  const other = { path: 'docs/adr/0002-run.md', text: '# 2\n' };
  expect(checkDocs([...listing, other])).toEqual([
    'docs/adr/README.md does not list 0002-run.md',
    'ARCHITECTURE.md does not list 0002-run.md',
  ]);
});

it('two decisions with one number are found', () => {
  const twin = { path: 'docs/adr/0001-run.md', text: '# 1\n' };
  expect(checkDocs([...listing, twin])).toContain('docs/adr/0001-run.md has the number of another record');
});

it('a check that is given no page fails', () => {
  expect(checkDocs([])).toEqual(['there is no page to read']);
});
