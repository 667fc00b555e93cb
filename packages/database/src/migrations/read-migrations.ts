import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One step forward: `sha256` is that of the file's bytes, in hexadecimal. */
export type Migration = {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
  readonly sql: string;
};

/** The migrations of this program. */
export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * Reads `NNNN-name.sql` files in order; a folder that does not exist holds none. Throws a plain error, a bug of the
 * release, when a name does not fit or the numbers are not 1, 2, 3 and so on.
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await listFolder(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(/^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.sql$/.exec(name)?.[1]);
      if (number !== index + 1) {
        throw new Error(`the migration ${name} is not named ${String(index + 1).padStart(4, '0')}-name.sql`);
      }
      const bytes = await readFile(join(folder, name));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { number, name: name.slice(0, -'.sql'.length), sha256, sql: bytes.toString('utf8') };
    }),
  );
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
