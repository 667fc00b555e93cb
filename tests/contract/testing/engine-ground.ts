import type { Database } from '../../../packages/database/src/index.ts';
import { openTestDatabase } from '../../../packages/database/src/testing/open-test-database.ts';
import {
  BossQueue,
  type EngineTables,
  type Journal,
  PostgresJournal,
  type Queue,
  type QueueConnection,
  type TablesTransaction,
} from '../../../packages/engine/src/index.ts';
import {
  MemoryDatabase,
  type MemoryTransaction,
} from '../../../packages/engine/src/testing/memory-database.ts';
import { MemoryJournal } from '../../../packages/engine/src/testing/memory-journal.ts';
import { MemoryQueue } from '../../../packages/engine/src/testing/memory-queue.ts';

/** What engines stand on in a test; a queue is opened for each node, the journal is the same for all. */
export type EngineGround<Transaction> = {
  readonly journal: Journal<Transaction>;
  openQueue(): Queue<Transaction>;
  close(): Promise<void>;
};

/** The real thing. */
export async function postgresGround(): Promise<EngineGround<TablesTransaction>> {
  const database: Database<EngineTables> = await openTestDatabase<EngineTables>();
  let isClosing = false;
  const onError = (error: Error): void => {
    // The database is dropped under the last connections of a queue that has stopped.
    if (!isClosing) throw error;
  };
  return {
    journal: new PostgresJournal(database.kysely),
    openQueue: () => new BossQueue(database.connectionOptions as QueueConnection, onError),
    close() {
      isClosing = true;
      return database.close();
    },
  };
}

/** The double that the simulation stands on. */
export async function memoryGround(): Promise<EngineGround<MemoryTransaction>> {
  const queue = new MemoryQueue(() => performance.now());
  return {
    journal: new MemoryJournal(new MemoryDatabase()),
    openQueue: () => queue,
    close: async () => undefined,
  };
}
