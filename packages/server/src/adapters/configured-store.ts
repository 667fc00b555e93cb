import type { Fault, Parameters, Reply } from '@stillpoint/core';
import type { KnownStore, Manifest } from '@stillpoint/store';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { RescanOutcome, Store, StoreStatus } from '../app/ports.ts';
import type { MoverPool } from '../movers/mover-pool.ts';
import { type CatalogueEntry, insertBackup } from './insert-backup.ts';
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
    // What is entered while the disk is read may have been published behind the reader's back: it is not missing.
    const entered = await this.#db.selectFrom('backup').select('task_id').distinct().execute();
    const order = { kind: 'rescan', store: store.value, checksHashes: false } as const;
    const reply = await this.#movers.order(order, { deadlineMs: RESCAN_DEADLINE_MS });
    if (!reply.ok) return reply;
    const backups = reply.value.backups.filter(({ taskId }) => isTaskId(taskId));
    const onDisk = new Set(backups.map(({ taskId }) => taskId));
    const missing = entered.map((row) => row.task_id).filter((taskId) => !onDisk.has(taskId));
    const backupsAdded = await this.#db.transaction().execute((trx) => enterAll(trx, backups, missing));
    const strangers = reply.value.backups.filter(({ taskId }) => !isTaskId(taskId)).map(strangerOf);
    const problems = reply.value.problems.map(({ path, detail }) => ({ path, detail }));
    return {
      ok: true,
      value: {
        manifestsRead: reply.value.backups.length,
        backupsAdded,
        backupsUnchanged: backups.length - backupsAdded,
        backupsMissing: missing.length,
        problems: [...problems, ...strangers],
      },
    };
  }
}

/** Brings the catalogue up to what is on the disk; answers how many backups it had not known as good. */
async function enterAll(
  trx: Transaction<Tables>,
  backups: readonly Manifest[],
  missing: readonly string[],
): Promise<number> {
  // A task that publishes now enters its backup before all of this or after it.
  await sql`lock table backup in share row exclusive mode`.execute(trx);
  const rows = await trx.selectFrom('backup').select(['task_id', 'state', 'plan_name', 'run_id']).execute();
  const known = new Map(rows.map((row) => [row.task_id, row]));
  const added = backups.filter(({ taskId }) => known.get(taskId)?.state !== 'good');
  for (const manifest of added) {
    const before = known.get(manifest.taskId);
    const origin = { planName: before?.plan_name ?? null, runId: before?.run_id ?? null };
    await insertBackup(trx, { ...entryOf(manifest), ...origin });
  }
  await trx
    .updateTable('backup')
    .set({ state: 'missing' })
    .where(sql<boolean>`task_id = any(${missing}::uuid[])`)
    .execute();
  return added.length;
}

/** The catalogue knows tasks by ids that we made; a manifest of another hand must not keep it from being rebuilt. */
const isTaskId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

function strangerOf({ taskId }: Manifest): RescanOutcome['problems'][number] {
  return {
    path: `.stillpoint/catalog/${taskId}.json`,
    detail: `"${taskId}" is not the id of a task of ours, so the backup is not in the catalogue.`,
  };
}

const noPath: Fault = {
  code: 'STORE_PATH_NOT_SET',
  effect: 'none',
  retryable: false,
  detail: 'The parameter store.path is not set.',
};

function entryOf({
  taskId,
  action,
  device,
  target,
  takenAt,
  files,
}: Manifest): Omit<CatalogueEntry, 'planName' | 'runId'> {
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
  };
}
