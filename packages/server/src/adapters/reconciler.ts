import type { QuiesceScope } from '@stillpoint/core';
import { type Kysely, sql } from 'kysely';
import type { Appliances } from './appliances.ts';
import type { Tables } from './tables.ts';
import { unquiesce } from './task-performer.ts';

/** What a reconciler works with. */
export type ReconcilerTools = {
  readonly db: Kysely<Tables>;
  readonly appliances: Pick<Appliances, 'talkTo'>;
  readonly settleMs: () => Promise<number>;
  readonly nodeId: string;
  readonly now: () => number;
};

type Orphan = {
  readonly id: number;
  readonly device: string;
  readonly scope: QuiesceScope;
  readonly endedAt: Date | null;
};

/** A node that began with a guard and died leaves it to the others after this long. */
const LEASE_MS = 60_000;

/**
 * Sets moving again what an ended task could not: guards without a living owner are worked on until the device is seen
 * running, however long it stays away. Guards of tasks that go on, or are taken over, are left to their tasks.
 */
export class Reconciler {
  readonly #tools: ReconcilerTools;

  constructor(tools: ReconcilerTools) {
    this.#tools = tools;
  }

  /** One round over all orphans, each device on its own so that one that hangs holds up no other. */
  async reconcile(signal: AbortSignal): Promise<void> {
    const orphans = await this.#claimOrphans();
    await Promise.all(orphans.map((orphan) => this.#workOn(orphan, signal)));
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

  async #workOn({ id, device, scope, endedAt }: Orphan, signal: AbortSignal): Promise<void> {
    const { db, appliances, now } = this.#tools;
    const talk = appliances.talkTo(device, signal);
    const note = async (last_problem: string | null): Promise<void> => {
      await db.updateTable('device_guard').set({ last_problem }).where('id', '=', id).execute();
    };
    const lookedAt = now();
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
    if (lookedAt < settledFrom) return note(null);
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
