import { join } from 'node:path';
import type { Pool } from 'pg';
import { createPool } from '../create-pool.ts';
import { openEmbeddedPostgres } from '../embedded/embedded-postgres.ts';
import { embeddedLogin } from '../embedded/postgres-settings.ts';
import { makeTestDataDirectory } from './make-test-data-directory.ts';

/** A PostgreSQL of a test's own, which is back soon after it was killed. */
export type KillablePostgres = {
  readonly login: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  readonly pool: Pool;
  /** `kill -9` of the server; its children end with it. False when it is down already. */
  kill(): boolean;
  close(): Promise<void>;
};

/** Starts one. It writes without fsync, which only a power cut would show, but acknowledges nothing it has not written. */
export async function openKillablePostgres(): Promise<KillablePostgres> {
  const directory = makeTestDataDirectory();
  const server = await openEmbeddedPostgres(join(directory.path, 'data'), {
    extraSettings: { fsync: 'off', full_page_writes: 'off' },
  });
  const login = { ...embeddedLogin, host: server.socketFolder };
  const pool = createPool({ ...login, ssl: false }, () => undefined);
  return {
    login,
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
