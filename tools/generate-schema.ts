// `node tools/generate-schema.ts [--check]`: writes docs/schema.sql from a throw-away database that is migrated from
// nothing, or says whether the file still is what the migrations make.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dumpSchema, openDatabase } from '@stillpoint/database';
import { makeTestDataDirectory } from '../packages/database/src/testing/make-test-data-directory.ts';
import { projectFolder } from './check/folders.ts';

const heading =
  '-- The tables of Stillpoint. Written by tools/generate-schema.ts; change the migrations, not this file.';

async function readSchema(): Promise<string> {
  const folder = makeTestDataDirectory();
  try {
    const database = await openDatabase({ dataDirectory: folder.path });
    try {
      await database.migrate();
      return `${heading}\n\n${await dumpSchema(database.pool)}`;
    } finally {
      await database.close();
    }
  } finally {
    await folder.dispose();
  }
}

const file = join(projectFolder, 'docs/schema.sql');
const schema = await readSchema();
if (!process.argv.includes('--check')) {
  writeFileSync(file, schema);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== schema) {
  console.error('docs/schema.sql is not what the migrations make: run "node tools/generate-schema.ts".');
  process.exitCode = 1;
}
