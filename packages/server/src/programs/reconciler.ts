import type { QuiesceScope } from '@stillpoint/core';
import type { Clock } from '@stillpoint/engine';
import type { Conversations } from './conversation.ts';
import type { Orphan, OrphanedGuards } from './ports.ts';
import { unquiesce } from './unquiesce.ts';

/** What a reconciler works with. */
export type ReconcilerTools = {
  readonly guards: OrphanedGuards;
  readonly appliances: Pick<Conversations, 'talkTo'>;
  readonly settleMs: () => Promise<number>;
  readonly nodeId: string;
  readonly clock: Pick<Clock, 'now'>;
};

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
    const { guards, nodeId, clock } = this.#tools;
    const orphans = await guards.claimOrphans(nodeId, clock.now());
    await Promise.all(orphans.map((orphan) => this.#workOn(orphan, signal)));
  }

  async #workOn({ guardId, device, scope, endedAt }: Orphan, signal: AbortSignal): Promise<void> {
    const { guards, appliances, clock } = this.#tools;
    const talk = appliances.talkTo(device, signal);
    const lookedAt = clock.now();
    const rows = await talk.ask((appliance, call) => appliance.readDomainStatus(call));
    if (!rows.ok) return guards.noteProblem(guardId, rows.fault.detail);
    const held = rows.value.filter(
      ({ domain, quiesceState }) => isInScope(scope, domain) && quiesceState !== 'normal',
    );
    if (held.length > 0) {
      const reply = await unquiesce(talk, scope);
      return guards.noteProblem(guardId, reply.ok ? null : reply.fault.detail);
    }
    // A request whose reply was lost may land after the task has ended: what was seen running counts only then.
    const settledFrom = (endedAt ?? 0) + (await this.#tools.settleMs());
    if (lookedAt < settledFrom) return guards.noteProblem(guardId, null);
    await guards.closeOrphan(guardId, clock.now());
  }
}

/** Quiescing a device takes every domain down but `default`. */
function isInScope(scope: QuiesceScope, domain: string): boolean {
  return scope.kind === 'domain' ? domain === scope.domain : domain !== 'default';
}
