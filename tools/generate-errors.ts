// `node tools/generate-errors.ts [--check]`: writes docs/errors.md from the packages' catalogues, or says whether
// the page still is what they say.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './check/folders.ts';
import { readCatalogues } from './check/read-catalogues.ts';
import { writeErrorsPage } from './check/write-errors-page.ts';

const file = join(projectFolder, 'docs/errors.md');
const page = writeErrorsPage(await readCatalogues(projectFolder));
if (!process.argv.includes('--check')) {
  writeFileSync(file, page);
} else if (readFileSync(file, 'utf8') !== page) {
  console.error('docs/errors.md is not what the catalogues say: run "node tools/generate-errors.ts".');
  process.exitCode = 1;
}
