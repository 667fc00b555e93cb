import { Client } from 'pg';
import { embeddedLogin } from './postgres-settings.ts';

const answerLimitMs = 30_000;

/** A single connection to the embedded server, for what its supervisor has to ask or do itself; not yet connected. */
export function embeddedClient(socketFolder: string, database: string): Client {
  return new Client({
    ...embeddedLogin,
    database,
    host: socketFolder,
    ssl: false,
    connectionTimeoutMillis: answerLimitMs,
    query_timeout: answerLimitMs,
  });
}
