import { join } from 'node:path';
import { createPool } from '../../../packages/database/src/create-pool.ts';
import { openEmbeddedPostgres } from '../../../packages/database/src/embedded/embedded-postgres.ts';
import { embeddedLogin } from '../../../packages/database/src/embedded/postgres-settings.ts';
import { makeTestDataDirectory } from '../../../packages/database/src/testing/make-test-data-directory.ts';
import { addressOf, type ClusterDatabase } from './begin-cluster.ts';

/** A PostgreSQL of the test's own, which is back soon after it was killed. */
export type OwnPostgres = ClusterDatabase & {
  /** `kill -9` of the server; its children end with it. False when it is down already. */
  kill(): boolean;
};

/** Starts one. It writes without fsync, which only a power cut would show, but acknowledges nothing it has not written. */
export async function openOwnPostgres(): Promise<OwnPostgres> {
  const directory = makeTestDataDirectory();
  const server = await openEmbeddedPostgres(join(directory.path, 'data'), {
    extraSettings: { fsync: 'off', full_page_writes: 'off' },
  });
  const login = { ...embeddedLogin, host: server.socketFolder };
  const pool = createPool({ ...login, ssl: false }, () => undefined);
  return {
    url: addressOf(login),
    socketFolder: server.socketFolder,
    pool,
    kill() {
      try {
        return process.kill(server.pid(), 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
        throw error;
      }
    },
    async close() {
      await pool.end();
      await server.close();
      await directory.dispose();
    },
  };
}
