import { randomUUID } from 'node:crypto';
import type { Node } from '@stillpoint/contract';
import { PlaceTaken } from '@stillpoint/engine';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Nodes } from '../app/ports.ts';
import type { Tables } from './tables.ts';

/** What a node says of itself. */
export type NodeIdentity = {
  /** Kept in the data directory. */
  readonly id: string;
  /** What the operator calls it; null for the name of the host. */
  readonly name: string | null;
  readonly hostName: string;
  readonly version: string;
  readonly pid: number;
};

/** A node that has not beaten for this long is taken for gone: as long as a claim lasts without being renewed. */
export const NODE_LEASE_SECONDS = 10;

/** A node that stopped or was last heard of so long ago is forgotten. */
const REMEMBERED = '30 days';

/** Any number will do as long as every node uses the same: the letters "node" as bytes. */
const ADVISORY_LOCK_KEY = 0x6e6f6465;

/** What a beat brings back: what this node is to do. */
export type Orders = { readonly isDraining: boolean };

/**
 * The nodes that share the database, and this one's place among them. Every instant is the database's: the clocks of the
 * nodes need not agree.
 */
export class StoredNodes implements Nodes {
  readonly #db: Kysely<Tables>;
  readonly #identity: NodeIdentity;
  readonly #incarnation = randomUUID();
  #url: string | null = null;
  #name = '';
  #isRegistered = false;

  constructor(db: Kysely<Tables>, identity: NodeIdentity) {
    this.#db = db;
    this.#identity = identity;
  }

  /** What the operator calls this node; known from its first beat on. */
  get name(): string {
    return this.#name;
  }

  /** From the next beat on the others know where this node serves. */
  serveAt(url: string): void {
    this.#url = url;
  }

  /**
   * Shows the others that this node lives, and answers what it is to do. Throws `PlaceTaken` when another process took
   * this node's place: one with a copy of its data directory.
   */
  async beat(devicesParallel: number): Promise<Orders> {
    if (!this.#isRegistered) await this.#register(devicesParallel);
    const { id } = this.#identity;
    const row = await this.#db
      .updateTable('node')
      .set({ heartbeat_at: sql<Date>`clock_timestamp()`, devices_parallel: devicesParallel, url: this.#url })
      .where('id', '=', id)
      .where('incarnation', '=', this.#incarnation)
      .returning(['is_draining'])
      .executeTakeFirst();
    if (row !== undefined) return { isDraining: row.is_draining };
    const other = await this.#db.selectFrom('node').select('pid').where('id', '=', id).executeTakeFirst();
    if (other !== undefined) {
      throw new PlaceTaken(
        `Another server, process ${other.pid}, was started with the identity of this node, ${id}: one of the two data directories is a copy. Stop both, remove the file node-id from the copy, and start both.`,
      );
    }
    // Forgotten after a long silence.
    this.#isRegistered = false;
    return this.beat(devicesParallel);
  }

  /** Tells the others that this node stops of its own accord: nobody waits for it. */
  async leave(): Promise<void> {
    await this.#db
      .updateTable('node')
      .set({ stopped_at: sql<Date>`clock_timestamp()`, heartbeat_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', this.#identity.id)
      .where('incarnation', '=', this.#incarnation)
      .execute();
  }

  async list(): Promise<readonly Node[]> {
    const rows = await this.#db
      .selectFrom('node')
      .selectAll()
      .select([
        sql<number>`greatest(extract(epoch from clock_timestamp() - heartbeat_at) * 1000, 0)::float8`.as(
          'age_ms',
        ),
        (of) =>
          of
            .selectFrom('journal_subject')
            .whereRef('node_id', '=', 'node.id')
            .where('program', '=', 'task')
            .where('is_ended', '=', false)
            .select((task) => task.fn.countAll<number>().as('count'))
            .as('tasks'),
      ])
      .orderBy('name')
      .execute();
    return rows.map((row) => nodeShown(row, row.id === this.#identity.id));
  }

  async setDraining(name: string, isDraining: boolean): ReturnType<Nodes['setDraining']> {
    const row = await this.#db
      .updateTable('node')
      .set({ is_draining: isDraining })
      .where('name', '=', name)
      .where('stopped_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (row !== undefined) return 'done';
    const stopped = await this.#db
      .selectFrom('node')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirst();
    return stopped === undefined ? 'unknown' : 'stopped';
  }

  /** A node that starts is not draining: what was to be gentle is over. */
  async #register(devicesParallel: number): Promise<void> {
    const { id, version, pid } = this.#identity;
    await this.#db.transaction().execute(async (trx) => {
      // Nodes that start together choose their names one after the other, and hold up nobody else.
      await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK_KEY})`.execute(trx);
      await trx
        .deleteFrom('node')
        .where(sql<boolean>`heartbeat_at < clock_timestamp() - ${REMEMBERED}::interval`)
        .execute();
      const name = await this.#chooseName(trx);
      this.#name = name;
      const row = {
        incarnation: this.#incarnation,
        name,
        version,
        pid,
        url: this.#url,
        devices_parallel: devicesParallel,
        is_draining: false,
        started_at: sql<Date>`clock_timestamp()`,
        heartbeat_at: sql<Date>`clock_timestamp()`,
        stopped_at: null,
      };
      await trx
        .insertInto('node')
        .values({ id, ...row })
        .onConflict((known) => known.column('id').doUpdateSet(row))
        .execute();
    });
    this.#isRegistered = true;
  }

  /** A name is taken over from a node that no longer lives; from one that does only the host's name is told apart. */
  async #chooseName(trx: Kysely<Tables>): Promise<string> {
    const { id, name, hostName } = this.#identity;
    const wanted = name ?? hostName;
    const other = await trx
      .selectFrom('node')
      .select(['id', sql<boolean>`${isSilent} or stopped_at is not null`.as('is_over')])
      .where('name', '=', wanted)
      .where('id', '!=', id)
      .executeTakeFirst();
    if (other === undefined) return wanted;
    if (other.is_over) {
      await trx.deleteFrom('node').where('id', '=', other.id).execute();
      return wanted;
    }
    if (name === null) return `${hostName}-${id.slice(0, 8)}`;
    throw new Error(`Another node that runs has the name "${name}". Choose another with --node-name.`);
  }
}

/** True of a row of `node` that has not beaten for its lease. */
const isSilent = sql<boolean>`heartbeat_at < clock_timestamp() - make_interval(secs => ${sql.lit(NODE_LEASE_SECONDS)})`;

type Row = Selectable<Tables['node']> & { readonly age_ms: number; readonly tasks: number | null };

function nodeShown(row: Row, isAnswering: boolean): Node {
  const state = stateOf(row);
  return {
    id: row.id,
    name: row.name,
    state,
    isAnswering,
    version: row.version,
    pid: row.pid,
    url: row.url,
    devicesParallel: row.devices_parallel,
    tasksGoing: row.tasks ?? 0,
    startedAt: row.started_at.toISOString(),
    heartbeatAt: row.heartbeat_at.toISOString(),
    heartbeatAgeMs: Math.round(row.age_ms),
    stoppedAt: row.stopped_at?.toISOString() ?? null,
    sentence: sentenceOf(row, state),
  };
}

function stateOf({ stopped_at, age_ms, is_draining }: Row): Node['state'] {
  if (stopped_at !== null) return 'stopped';
  if (age_ms > NODE_LEASE_SECONDS * 1000) return 'gone';
  return is_draining ? 'draining' : 'running';
}

function sentenceOf({ name, age_ms, tasks }: Row, state: Node['state']): string {
  const count = tasks ?? 0;
  switch (state) {
    case 'running':
      return `${name} runs.`;
    case 'draining':
      if (count === 0) return `${name} begins nothing more and has nothing left to do; it can be stopped.`;
      return `${name} begins nothing more; of what it began, ${count} ${count === 1 ? 'task goes' : 'tasks go'} on.`;
    case 'stopped':
      return `${name} has stopped.`;
    case 'gone':
      return `${name} was not heard of for ${Math.round(age_ms / 1000)} s; what it did is taken over by the others.`;
  }
}
