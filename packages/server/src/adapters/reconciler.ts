import type { QuiesceScope } from '@stillpoint/core';
import { type Kysely, sql } from 'kysely';
import type { Appliances } from './appliances.ts';
import type { Tables } from './tables.ts';
import { unquiesce } from './task-performer.ts';

/** What a reconciler works with. */
export type ReconcilerTools = {
  readonly db: Kysely<Tables>;
  readonly appliances: Appliances;
  readonly settleMs: () => Promise<number>;
  readonly nodeId: string;
  readonly now: () => number;
  readonly onProblem: (error: Error) => void;
};

type Orphan = {
  readonly id: number;
  readonly device: string;
  readonly scope: QuiesceScope;
  readonly endedAt: Date | null;
};

const PAUSE_MS = 5_000;
/** A node that began with a guard and died leaves it to the others after this long. */
const LEASE_MS = 60_000;

/**
 * Sets moving again what an ended task could not: guards without a living owner are worked on until the device is seen
 * running, however long it stays away. Guards of tasks that go on, or are taken over, are left to their tasks.
 */
export class Reconciler {
  readonly #tools: ReconcilerTools;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(tools: ReconcilerTools) {
    this.#tools = tools;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.reconcile();
      } catch (error) {
        this.#tools.onProblem(error instanceof Error ? error : new Error(String(error)));
      }
      await pause(PAUSE_MS, signal);
    }
  }

  /** One round over all orphans, each device on its own so that one that hangs holds up no other. */
  async reconcile(): Promise<void> {
    const orphans = await this.#claimOrphans();
    await Promise.all(orphans.map((orphan) => this.#workOn(orphan)));
  }

  async #claimOrphans(): Promise<Orphan[]> {
    const { db, nodeId, now } = this.#tools;
    const rows = await db
      .updateTable('device_guard')
      .from('task')
      .set({ reconciled_by: nodeId, reconciled_until: new Date(now() + LEASE_MS) })
      .whereRef('task.id', '=', 'device_guard.task_id')
      .where('task.status', 'not in', ['WAITING', 'RUNNING'])
      .where('released_at', 'is', null)
      .where(
        sql<boolean>`(reconciled_by is null or reconciled_by = ${nodeId} or reconciled_until < ${new Date(now())})`,
      )
      .returning(['device_guard.id', 'device_guard.device', 'scope', 'task.ended_at as endedAt'])
      .execute();
    return rows;
  }

  async #workOn({ id, device, scope, endedAt }: Orphan): Promise<void> {
    const { db, appliances, now } = this.#tools;
    const talk = appliances.talkTo(device, this.#stopping.signal);
    const note = async (last_problem: string | null): Promise<void> => {
      await db.updateTable('device_guard').set({ last_problem }).where('id', '=', id).execute();
    };
    const rows = await talk.ask((appliance, call) => appliance.readDomainStatus(call));
    if (!rows.ok) return note(rows.fault.detail);
    const held = rows.value.filter(
      ({ domain, quiesceState }) => isInScope(scope, domain) && quiesceState !== 'normal',
    );
    if (held.length > 0) {
      const reply = await unquiesce(talk, scope);
      return note(reply.ok ? null : reply.fault.detail);
    }
    // A request whose reply was lost may land after the task has ended: what was seen running counts only then.
    const settledFrom = (endedAt?.getTime() ?? 0) + (await this.#tools.settleMs());
    if (now() < settledFrom) return;
    await db
      .updateTable('device_guard')
      .set({ released_at: new Date(now()), last_problem: null })
      .where('id', '=', id)
      .execute();
  }
}

/** Quiescing a device takes every domain down but `default`. */
function isInScope(scope: QuiesceScope, domain: string): boolean {
  return scope.kind === 'domain' ? domain === scope.domain : domain !== 'default';
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
