import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One step forward: `sha256` is that of the file's bytes, in hexadecimal. */
export type Migration = {
  readonly number: number;
  /** Programs that know this migration, an earlier one or this one itself, go on working once it is applied. */
  readonly worksFrom: number;
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
      const sql = bytes.toString('utf8');
      const worksFrom = readFloor(name, number, sql);
      return { number, worksFrom, name: name.slice(0, -'.sql'.length), sha256, sql };
    }),
  );
}

/** A migration that says nothing of older programs is not for them. */
function readFloor(name: string, number: number, sql: string): number {
  const declared = /^-- works with programs that know migration >= (\d+)$/m.exec(sql)?.[1];
  const floor = declared === undefined ? number : Number(declared);
  if (floor >= 1 && floor <= number) return floor;
  throw new Error(`the migration ${name} cannot work with programs that know migration >= ${floor}`);
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
