import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openApiDocument } from '@stillpoint/server';

// Writes docs/openapi.json from the routes; with --check it only says whether the file is what it would write.

const root = new URL('..', import.meta.url);
const target = new URL('docs/openapi.json', root);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
const document = JSON.stringify(await openApiDocument(version), null, 2);
// Formatted as every other file, so that the formatter finds nothing to change in it.
const formatter = fileURLToPath(new URL('node_modules/.bin/biome', root));
const text = execFileSync(formatter, ['format', '--stdin-file-path=docs/openapi.json'], {
  cwd: root,
  input: document,
  encoding: 'utf8',
});

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
  console.log('docs/openapi.json written');
} else if (readOrNull(target) === text) {
  console.log('docs/openapi.json is as the routes say');
} else {
  console.error('docs/openapi.json is not as the routes say; run: node tools/generate-openapi.ts');
  process.exitCode = 1;
}

function readOrNull(file: URL): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
