import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { datapowerCatalogue } from './datapower-catalogue.ts';

const folders = [import.meta.dirname, join(import.meta.dirname, 'wire')];
const source = folders
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('catalogue.ts'))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

describe('the catalogue', () => {
  it.each(Object.entries(datapowerCatalogue))(
    'says what %s means and what to do, and the code is raised',
    (code, entry) => {
      expect(code).toMatch(/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/u);
      expect(entry.sentence).toMatch(/^[A-Z].*\.$/u);
      expect(entry.remedy).toMatch(/^[A-Z].*\.$/u);
      expect(source).toContain(`'${code}'`);
    },
  );
});
