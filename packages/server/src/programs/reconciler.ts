import type { QuiesceScope, Reply } from '@stillpoint/core';
import type { Clock } from '@stillpoint/engine';
import type { Attempt, Undoer } from '../app/ports.ts';
import type { Conversation, Conversations } from './conversation.ts';
import { LONGEST_ORPHAN_PAUSE_MS, ORPHAN_LEASE_MS, type Orphan, type OrphanedGuards } from './ports.ts';
import { unquiesce } from './unquiesce.ts';

/** What a reconciler works with. */
export type ReconcilerTools = {
  readonly guards: OrphanedGuards;
  readonly appliances: Pick<Conversations, 'talkTo'>;
  readonly settleMs: () => Promise<number>;
  readonly nodeId: string;
  readonly clock: Pick<Clock, 'elapsed'>;
  /** Told what was thrown while a guard was worked on. */
  readonly onProblem: (error: unknown) => void;
};

/** A claim is not relied on for longer: by then a node that stood still may have lost it. */
const FENCE_MS = ORPHAN_LEASE_MS * 0.7;

/** The pause after a try, doubled with each that fails after another. */
const FIRST_PAUSE_MS = 5_000;

/**
 * Sets moving again what no task undoes any more: guards without a living owner are worked on until the device is seen
 * running, however long it stays away. Guards of tasks that go on, or are taken over, are left to their tasks.
 */
export class Reconciler implements Undoer {
  readonly #tools: ReconcilerTools;
  readonly #going = new Map<number, Promise<Attempt>>();
  readonly #stopping = new AbortController();

  constructor(tools: ReconcilerTools) {
    this.#tools = tools;
  }

  /** To be called once, before the first round. */
  start(): Promise<void> {
    return this.#tools.guards.freeOrphans(this.#tools.nodeId);
  }

  /**
   * Begins one round over all orphans that are due, each device on its own so that one that hangs holds up no other, nor
   * the next round. Answers the tries it began, none of which rejects.
   */
  async reconcile(): Promise<readonly Promise<Attempt>[]> {
    const { guards, nodeId } = this.#tools;
    const claimedAt = this.#tools.clock.elapsed();
    const orphans = await guards.claimOrphans(nodeId);
    return orphans.map((orphan) => this.#begin(orphan, claimedAt));
  }

  async workOnNow(guardId: string): Promise<Attempt | 'busy'> {
    const id = Number(guardId);
    const claimedAt = this.#tools.clock.elapsed();
    const orphan = await this.#tools.guards.claimOrphan(this.#tools.nodeId, id);
    if (orphan !== null) return this.#begin(orphan, claimedAt);
    return this.#going.get(id) ?? 'busy';
  }

  /** Gives up what is going on and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#going.values());
  }

  #begin(orphan: Orphan, claimedAt: number): Promise<Attempt> {
    const { guardId } = orphan;
    const attempt = this.#workOn(orphan, claimedAt)
      .catch((error: unknown) => {
        this.#tools.onProblem(error);
        return { ...nothing, problem: 'The server met a mistake of its own.' };
      })
      .finally(() => this.#going.delete(guardId));
    this.#going.set(guardId, attempt);
    return attempt;
  }

  async #workOn(orphan: Orphan, claimedAt: number): Promise<Attempt> {
    const { guards, appliances, nodeId } = this.#tools;
    const { guardId, device, scope } = orphan;
    const talk = appliances.talkTo(device, this.#stopping.signal);
    const rows = await talk.ask((appliance, call) => appliance.readDomainStatus(call));
    if (!rows.ok) return this.#putOff(orphan, { ...nothing, problem: rows.fault.detail });
    const seen = rows.value
      .filter(({ domain, quiesceState }) => isInScope(scope, domain) && quiesceState !== 'normal')
      .map(({ domain, quiesceState }) => ({ domain, quiesceState }));
    if (seen.length > 0) {
      const reply = await this.#send(orphan, claimedAt, talk);
      if (reply === null)
        return { ...nothing, seen, problem: 'This node stood still; another may be at it.' };
      const problem = reply.ok ? null : reply.fault.detail;
      const isInDoubt = !reply.ok && reply.fault.effect === 'unknown';
      return this.#putOff(orphan, { ...nothing, seen, isSent: reply.ok, problem }, isInDoubt);
    }
    // A request whose reply was lost may land later: what was seen running counts only once that cannot be any more.
    if (orphan.quietMs < (await this.#tools.settleMs())) return this.#putOff(orphan, nothing);
    return { ...nothing, isReleased: await guards.closeOrphan(nodeId, guardId) };
  }

  /** Null when the claim may have been given to another node: then nothing is sent. */
  async #send(
    { guardId, scope }: Orphan,
    claimedAt: number,
    talk: Conversation,
  ): Promise<Reply<null> | null> {
    const { guards, nodeId, clock } = this.#tools;
    const isHeld = await guards.intendUnquiesce(nodeId, guardId);
    return isHeld && clock.elapsed() - claimedAt <= FENCE_MS ? unquiesce(talk, scope) : null;
  }

  async #putOff(orphan: Orphan, attempt: Attempt, isInDoubt = false): Promise<Attempt> {
    const { problem } = attempt;
    // A device that answers is looked at again soon, one that does not less and less often.
    const attempts = problem === null ? 0 : orphan.attempts + 1;
    const isStopped = this.#stopping.signal.aborted;
    await this.#tools.guards.putOffOrphan(this.#tools.nodeId, orphan.guardId, {
      problem,
      isInDoubt,
      attempts: isStopped ? orphan.attempts : attempts,
      pauseMs: isStopped ? 0 : pauseAfter(attempts),
    });
    return attempt;
  }
}

const nothing: Attempt = { seen: [], isSent: false, isReleased: false, problem: null };

/** In milliseconds. */
function pauseAfter(failures: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 10);
  return Math.min(FIRST_PAUSE_MS * 2 ** doublings, LONGEST_ORPHAN_PAUSE_MS);
}

/** Quiescing a device takes every domain down but `default`. */
function isInScope(scope: QuiesceScope, domain: string): boolean {
  return scope.kind === 'domain' ? domain === scope.domain : domain !== 'default';
}
