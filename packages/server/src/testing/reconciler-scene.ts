import { randomUUID } from 'node:crypto';
import type { QuiesceScope, TaskCommand } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import type { QuiesceState } from '@stillpoint/datapower';
import { type Kysely, sql, type Transaction } from 'kysely';
import { StoredGuards } from '../adapters/stored-guards.ts';
import type { Tables } from '../adapters/tables.ts';
import type { Attempt } from '../app/ports.ts';
import type { Conversation } from '../programs/conversation.ts';
import { Reconciler, type ReconcilerTools } from '../programs/reconciler.ts';
import { emptyTables } from './empty-tables.ts';
import { GuardedDevice } from './guarded-device.ts';
import { sampleTask } from './sample-task.ts';
import { seedRun, seedTask } from './seed-run.ts';

/** For how long a request whose reply was lost may land, in the scene. */
export const SETTLE_MS = 60_000;

const ENDED_AT = Date.UTC(2026, 2, 29, 2);

type SceneEngine = ReconcilerTools<Transaction<Tables>>['engine'];

type Guarded = {
  readonly name?: string;
  readonly scope?: QuiesceScope;
  readonly status?: 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  /** For how long it has been left to the reconciler; null when it is not. */
  readonly leftMs?: number | null;
};

/** So many milliseconds before now, by the clock of the database. */
export const ago = (ms: number) => sql<Date>`clock_timestamp() - make_interval(secs => ${ms / 1000})`;

/** For tests: reconcilers of several nodes on a real database, with pretend devices and time that can be let pass. */
export class ReconcilerScene {
  readonly node: string = randomUUID();
  /** Milliseconds of the clock that counts on while a process stands still. */
  elapsed = 0;
  /** For how long the node may act. */
  mayActForMs = 7_000;
  isTellingBroken = false;
  /** What tasks were told. */
  readonly told: { readonly taskId: string; readonly command: TaskCommand }[] = [];
  readonly #database: Database<Tables>;
  readonly #devices = new Map<string, GuardedDevice>();

  private constructor(database: Database<Tables>) {
    this.#database = database;
  }

  static async open(): Promise<ReconcilerScene> {
    return new ReconcilerScene(await openTestDatabase<Tables>());
  }

  get db(): Kysely<Tables> {
    return this.#database.kysely;
  }

  async clear(): Promise<void> {
    await emptyTables(this.db);
    this.#devices.clear();
    this.elapsed = 0;
    this.mayActForMs = 7_000;
    this.told.length = 0;
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  reconcilerOf(nodeId = this.node, engine: SceneEngine = this.#engine): Reconciler<Transaction<Tables>> {
    return new Reconciler({
      guards: new StoredGuards(this.db),
      engine,
      appliances: { talkTo: (name) => this.#talkTo(name) },
      settleMs: async () => SETTLE_MS,
      nodeId,
      clock: { elapsed: () => this.elapsed },
      onProblem: (error) => {
        throw error;
      },
    });
  }

  readonly #engine: SceneEngine = {
    mayActForMs: () => this.mayActForMs,
    transact: (work) => this.db.transaction().execute(work),
    tellIn: async (_trx, taskId, command) => {
      if (this.isTellingBroken) throw new Error('the power went');
      this.told.push({ taskId, command: command as TaskCommand });
      return true;
    },
    wake: () => undefined,
  };

  /** One round, to its end. */
  async reconcile(nodeId = this.node): Promise<Attempt[]> {
    return Promise.all(await this.reconcilerOf(nodeId).reconcile());
  }

  /** A round after the longest pause that there is between two. */
  async reconcileLater(nodeId = this.node): Promise<Attempt[]> {
    await this.pass(60_000);
    return this.reconcile(nodeId);
  }

  /** Lets time pass for all that the database remembers, and for every node. */
  async pass(ms: number): Promise<void> {
    this.elapsed += ms;
    const earlier = (column: string) =>
      sql`${sql.ref(column)} = ${sql.ref(column)} - make_interval(secs => ${ms / 1000})`;
    const columns = ['left_at', 'doubted_at', 'sending_at', 'next_attempt_at', 'reconciled_until'];
    await sql`update device_guard set ${sql.join(columns.map(earlier))}`.execute(this.db);
  }

  /** A device in this state, with an open guard of a task that has ended unless told otherwise. */
  async guarded(
    domains: Readonly<Record<string, QuiesceState>>,
    {
      name = 'QA1',
      scope = { kind: 'domain', domain: 'A' },
      status = 'FAILED',
      leftMs = SETTLE_MS + 1_000,
    }: Guarded = {},
  ): Promise<GuardedDevice> {
    const device = new GuardedDevice(domains);
    this.#devices.set(name, device);
    const task = sampleTask({ ...(await seedRun(this.db)), device: name });
    device.taskId = task.taskId;
    await seedTask(this.db, task, { status, endedAt: status === 'RUNNING' ? null : ENDED_AT });
    await this.db
      .insertInto('device_guard')
      .values({
        device: name,
        task_id: task.taskId,
        scope: JSON.stringify(scope),
        intended_at: new Date(ENDED_AT - 1),
        left_at: leftMs === null ? null : ago(leftMs),
      })
      .execute();
    return device;
  }

  /** One line per guard: the device, whether it is open, and what stands in the way. */
  async guards(): Promise<string[]> {
    const rows = await this.db
      .selectFrom('device_guard')
      .select(['device', 'released_at', 'last_problem'])
      .orderBy('device')
      .execute();
    return rows.map((row) =>
      [row.device, row.released_at === null ? 'open' : 'released', row.last_problem ?? []].flat().join(' '),
    );
  }

  /** The id of the one guard there is. */
  async guardId(): Promise<string> {
    const { id } = await this.db.selectFrom('device_guard').select('id').executeTakeFirstOrThrow();
    return String(id);
  }

  #talkTo(name: string): Conversation {
    const device = this.#devices.get(name);
    if (device === undefined) throw new Error(`There is no device ${name} in this test.`);
    return {
      device: name,
      ask: (question) => question(device.appliance, {}),
      async act(action) {
        const reply = await action(device.appliance, {});
        return reply.ok ? { ok: true, value: null } : reply;
      },
    };
  }
}
