import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '../../tools/check/folders.ts';
import { readCatalogues } from '../../tools/check/read-catalogues.ts';
import { listProjectFiles } from '../../tools/check/source-files.ts';
import { writeErrorsPage } from '../../tools/check/write-errors-page.ts';

const catalogues = await readCatalogues(projectFolder);
const page = readFileSync(join(projectFolder, 'docs/errors.md'), 'utf8');

/** Code to sentence and remedy, as a reader of the page sees them, by package. */
function readPage(text: string): Map<string, string> {
  const rows = new Map<string, string>();
  let packageName = '';
  for (const line of text.split('\n')) {
    packageName = /^## (.*)$/.exec(line)?.[1] ?? packageName;
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const code = /^`([A-Z0-9_]+)`$/.exec(cells[1] ?? '')?.[1];
    if (code !== undefined) rows.set(`${packageName} ${code}`, cells.slice(-3, -1).join(' '));
  }
  return rows;
}

it('the page has every code of every catalogue, and no other', () => {
  const expected = new Map(
    catalogues.flatMap(({ packageName, entries }) =>
      Object.entries(entries).map(
        ([code, { sentence, remedy }]) =>
          [`${packageName} ${code}`, `${sentence} ${remedy}`.replaceAll('|', '\\|')] as const,
      ),
    ),
  );
  expect(expected.size).toBeGreaterThan(0);
  expect(readPage(page)).toEqual(expected);
});

it('every package with a catalogue file exports it', () => {
  const files = listProjectFiles(projectFolder).flatMap(
    (path) => /^packages\/([^/]+)\/src\/(?:[a-z-]+\/)*[a-z-]+-catalogue\.ts$/.exec(path)?.[1] ?? [],
  );
  expect(catalogues.map(({ packageName }) => packageName)).toEqual(files.sort());
});

it('every code is in capitals, and says in whole sentences what happened and what to do', () => {
  for (const { entries } of catalogues) {
    for (const [code, { sentence, remedy }] of Object.entries(entries)) {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]*$/);
      expect(`${code}: ${sentence}`).toMatch(/: [A-Z"'].*\.$/s);
      expect(`${code}: ${remedy}`).toMatch(/: [A-Z"'].*\.$/s);
    }
  }
});

it('every code is used outside its catalogue', () => {
  const sources = listProjectFiles(projectFolder)
    .filter(
      (path) =>
        /^packages\/[^/]+\/src\/.*\.ts$/.test(path) && !/\.test\.ts$|-catalogue\.ts$|\/testing\//.test(path),
    )
    .map((path) => readFileSync(join(projectFolder, path), 'utf8'))
    .join('\n');
  const words = new Set(sources.match(/\b[A-Z][A-Z0-9_]+\b/g));
  const unused = catalogues.flatMap(({ packageName, entries }) =>
    Object.keys(entries)
      .filter((code) => !words.has(code))
      .map((code) => `${packageName} ${code}`),
  );
  expect(unused).toEqual([]);
});

it('a code that is added, dropped or reworded makes another page', () => {
  const entry = { sentence: 'It broke.', remedy: 'Mend it.' };
  const one = writeErrorsPage([{ packageName: 'store', entries: { A: entry } }]);
  expect(one).toContain('| `A` | It broke. | Mend it. |');
  expect(writeErrorsPage([{ packageName: 'store', entries: { B: entry } }])).not.toBe(one);
});
