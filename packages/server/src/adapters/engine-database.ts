import type { Database } from '@stillpoint/database';
import { BossQueue, type EngineTables, type Journal, PostgresJournal, type Queue } from '@stillpoint/engine';
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Where the engine keeps its work, in transactions that name our tables as well. */
export type EngineDatabase = {
  readonly journal: Journal<Transaction<Tables>>;
  /** One that nobody has started. */
  openQueue(): Queue<Transaction<Tables>>;
};

/** The engine's journal and queue on our database; `onError` hears what goes wrong in the background. */
export function engineDatabase(
  { kysely, connectionOptions }: Database<Tables>,
  onError: (error: Error) => void,
): EngineDatabase {
  // Kysely's type says which tables may be named; the engine names its own, which are among ours.
  const journal = new PostgresJournal(kysely as unknown as Kysely<EngineTables>);
  const openQueue = (): BossQueue => new BossQueue(connectionOptions, onError);
  return { journal, openQueue } as unknown as EngineDatabase;
}
