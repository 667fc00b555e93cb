import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../open-database.ts';
import { makeTestDataDirectory } from './make-test-data-directory.ts';

/** Any number of equal data directories without the cost of an initdb each. */
export type SeededDirectories = {
  /** A new data directory with an empty database that nobody serves. */
  next(): string;
  dispose(): Promise<void>;
};

/** Makes one data directory to copy the others from. */
export async function makeSeededDirectories(): Promise<SeededDirectories> {
  const root = makeTestDataDirectory();
  const seed = join(root.path, 'seed');
  const database = await openDatabase({ dataDirectory: seed });
  await database.close();
  let count = 0;
  return {
    next() {
      count += 1;
      const path = join(root.path, `${count}`);
      cpSync(seed, path, { recursive: true, verbatimSymlinks: true });
      // Copies get default permissions, with which PostgreSQL refuses to start.
      chmodSync(join(path, 'postgres', 'cluster'), 0o700);
      return path;
    },
    dispose: root.dispose,
  };
}
