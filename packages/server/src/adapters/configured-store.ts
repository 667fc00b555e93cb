import type { Fault, Parameters, Reply } from '@stillpoint/core';
import type { KnownStore, Manifest } from '@stillpoint/store';
import type { Kysely } from 'kysely';
import type { RescanOutcome, Store, StoreStatus } from '../app/ports.ts';
import type { MoverPool } from '../movers/mover-pool.ts';
import { type CatalogueEntry, insertBackup } from './backup-catalogue.ts';
import type { Tables } from './tables.ts';

const SHORT_DEADLINE_MS = 30_000;
const RESCAN_DEADLINE_MS = 3_600_000;

/** The store that the parameters name, reached through movers alone; its marker is known from when it was set up. */
export class ConfiguredStore implements Store {
  readonly #db: Kysely<Tables>;
  readonly #movers: MoverPool;

  constructor(db: Kysely<Tables>, movers: MoverPool) {
    this.#db = db;
    this.#movers = movers;
  }

  /** Where the store is and which marker it must carry; a store that was never set up here has none that would do. */
  async locate(parameters: Parameters): Promise<Reply<KnownStore>> {
    const path = parameters['store.path'];
    if (path === null) return { ok: false, fault: noPath };
    const row = await this.#db
      .selectFrom('known_store')
      .select('store_id')
      .where('path', '=', path)
      .executeTakeFirst();
    const requiresRemoteMount = parameters['store.requireRemoteMount'];
    // An id that no store carries: the check then says what is wrong with the place before it says that.
    const expectedStoreId = row?.store_id ?? 'none set up';
    return { ok: true, value: { root: path, requiresRemoteMount, expectedStoreId } };
  }

  async check(parameters: Parameters): Promise<Reply<StoreStatus>> {
    const store = await this.locate(parameters);
    if (!store.ok) return store;
    const order = { kind: 'checkStore', store: store.value, minFreePercent: 0 } as const;
    return this.#movers.order(order, { deadlineMs: SHORT_DEADLINE_MS });
  }

  async init(parameters: Parameters): Promise<Reply<null>> {
    const path = parameters['store.path'];
    if (path === null) return { ok: false, fault: noPath };
    const location = { root: path, requiresRemoteMount: parameters['store.requireRemoteMount'] };
    const reply = await this.#movers.order(
      { kind: 'initStore', location },
      { deadlineMs: SHORT_DEADLINE_MS },
    );
    if (!reply.ok) return reply;
    const store_id = reply.value.storeId;
    await this.#db
      .insertInto('known_store')
      .values({ path, store_id })
      .onConflict((found) => found.column('path').doUpdateSet({ store_id }))
      .execute();
    return { ok: true, value: null };
  }

  async rescan(parameters: Parameters): Promise<Reply<RescanOutcome>> {
    const store = await this.locate(parameters);
    if (!store.ok) return store;
    const order = { kind: 'rescan', store: store.value, checksHashes: false } as const;
    const reply = await this.#movers.order(order, { deadlineMs: RESCAN_DEADLINE_MS });
    if (!reply.ok) return reply;
    const { backups, problems } = reply.value;
    return this.#db.transaction().execute(async (trx) => {
      const known = await trx.selectFrom('backup').select(['task_id', 'state']).execute();
      const onDisk = new Set(backups.map(({ taskId }) => taskId));
      const good = new Set(known.filter(({ state }) => state === 'good').map((row) => row.task_id));
      const missing = [...new Set(known.map((row) => row.task_id))].filter((taskId) => !onDisk.has(taskId));
      const added = backups.filter(({ taskId }) => !good.has(taskId));
      for (const manifest of added) {
        await trx.deleteFrom('backup').where('task_id', '=', manifest.taskId).execute();
        await insertBackup(trx, entryOf(manifest));
      }
      if (missing.length > 0) {
        await trx.updateTable('backup').set({ state: 'missing' }).where('task_id', 'in', missing).execute();
      }
      return {
        ok: true,
        value: {
          manifestsRead: backups.length,
          backupsAdded: added.length,
          backupsUnchanged: backups.length - added.length,
          backupsMissing: missing.length,
          problems: problems.map(({ path, detail }) => ({ path, detail })),
        },
      };
    });
  }
}

const noPath: Fault = {
  code: 'STORE_PATH_NOT_SET',
  effect: 'none',
  retryable: false,
  detail: 'The parameter store.path is not set.',
};

function entryOf({ taskId, action, device, target, takenAt, files }: Manifest): CatalogueEntry {
  const { name, ...identity } = device;
  const domain =
    target.kind === 'domain' ? target.domain : target.kind === 'all-domains' ? 'all-domains' : null;
  return {
    taskId,
    action,
    device: name,
    domain,
    identity,
    takenAt: Date.parse(takenAt),
    files,
    planName: null,
    runId: null,
  };
}
