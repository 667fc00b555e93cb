import { type Fault, type QuiesceScope, rowsInScope, type TaskCommand } from '@stillpoint/core';
import type { Clock, Engine } from '@stillpoint/engine';
import type { Attempt, Undoer } from '../app/ports.ts';
import type { Conversation, Conversations } from './conversation.ts';
import { orphanPolicy } from './orphan-policy.ts';
import type { Orphan, OrphanedGuards, OrphanTry } from './ports.ts';
import { unquiesce } from './unquiesce.ts';

/** What a reconciler works with. */
export type ReconcilerTools<Transaction> = {
  readonly guards: OrphanedGuards<Transaction>;
  /** Of the same node: whether it may act, and the way to its tasks. */
  readonly engine: Pick<Engine<Transaction>, 'mayActForMs' | 'tellIn' | 'transact' | 'wake'>;
  readonly appliances: Pick<Conversations, 'talkTo'>;
  readonly settleMs: () => Promise<number>;
  readonly nodeId: string;
  readonly clock: Pick<Clock, 'elapsed'>;
  /** Told what was thrown while a guard was worked on. */
  readonly onProblem: (error: unknown) => void;
};

/**
 * Sets moving again what no task undoes any more: guards without a living owner are worked on until the device is seen
 * running, however long it stays away. Guards of tasks that go on, or are taken over, are left to their tasks.
 */
export class Reconciler<Transaction> implements Undoer {
  readonly #tools: ReconcilerTools<Transaction>;
  readonly #going = new Map<number, Promise<Attempt>>();
  readonly #stopping = new AbortController();

  constructor(tools: ReconcilerTools<Transaction>) {
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
    const { guards, nodeId, clock } = this.#tools;
    if (this.#mayNotAct()) return [];
    const claimedAt = clock.elapsed();
    const orphans = await guards.claimOrphans(nodeId, [...this.#going.keys()]);
    return orphans.map((orphan) => this.#begin(orphan, claimedAt));
  }

  async workOnNow(guardId: string): Promise<Attempt | 'busy'> {
    const { guards, nodeId, clock } = this.#tools;
    const id = Number(guardId);
    const going = this.#going.get(id);
    if (going !== undefined) return going;
    if (this.#mayNotAct()) return attempt({ problem: MAY_NOT_ACT });
    const claimedAt = clock.elapsed();
    const orphan = await guards.claimOrphan(nodeId, id);
    return orphan === null ? (this.#going.get(id) ?? 'busy') : this.#begin(orphan, claimedAt);
  }

  /** Gives up what is going on and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#going.values());
  }

  #mayNotAct(): boolean {
    return this.#tools.engine.mayActForMs() === 0;
  }

  #begin(orphan: Orphan, claimedAt: number): Promise<Attempt> {
    const { guardId } = orphan;
    const going: Promise<Attempt> = this.#workOn(orphan, claimedAt)
      .catch((error: unknown) => {
        this.#tools.onProblem(error);
        return attempt({ problem: 'The server met a mistake of its own.' });
      })
      .finally(() => {
        if (this.#going.get(guardId) === going) this.#going.delete(guardId);
      });
    this.#going.set(guardId, going);
    return going;
  }

  async #workOn(orphan: Orphan, claimedAt: number): Promise<Attempt> {
    const talk = this.#tools.appliances.talkTo(orphan.device, this.#stopping.signal);
    const rows = await talk.ask((appliance, call) => appliance.readDomainStatus(call));
    if (!rows.ok) return this.#putOff(orphan, attempt({ problem: rows.fault.detail }), rows.fault);
    const seen = heldIn(rows.value, orphan.scope);
    if (!this.#isReliedOn(claimedAt)) return attempt({ seen, problem: STOOD_STILL });
    return seen.length === 0 ? this.#close(orphan) : this.#send(orphan, claimedAt, talk, seen);
  }

  /** Who stood still with a claim may have lost it: then nothing is sent, and nothing closed by what was seen before. */
  #isReliedOn(claimedAt: number): boolean {
    return this.#tools.clock.elapsed() - claimedAt <= orphanPolicy.fenceMs;
  }

  async #send(
    orphan: Orphan,
    claimedAt: number,
    talk: Conversation,
    seen: Attempt['seen'],
  ): Promise<Attempt> {
    const isHeld = await this.#tools.guards.intendUnquiesce(orphan);
    if (!isHeld || !this.#isReliedOn(claimedAt)) return attempt({ seen, problem: STOOD_STILL });
    const reply = await unquiesce(talk, orphan.scope);
    const fault = reply.ok ? null : reply.fault;
    const came = attempt({ seen, isSent: reply.ok, problem: fault?.detail ?? null });
    return this.#putOff(orphan, came, fault, fault?.effect === 'unknown');
  }

  /** A request whose reply was lost may land later: what was seen running counts only once that cannot be any more. */
  async #close(orphan: Orphan): Promise<Attempt> {
    const { guards, engine, settleMs } = this.#tools;
    const longestMs = await settleMs();
    const isReleased =
      orphan.quietMs >= longestMs &&
      (await engine.transact(async (trx) => {
        const isClosed = await guards.closeOrphan(trx, orphan, longestMs);
        // A task that has not ended would undo what somebody else quiesces from now on.
        if (isClosed) await engine.tellIn(trx, orphan.taskId, { type: 'released' } satisfies TaskCommand);
        return isClosed;
      }));
    if (!isReleased) return this.#putOff(orphan, attempt({}), null);
    engine.wake(orphan.taskId);
    return attempt({ isReleased });
  }

  async #putOff(orphan: Orphan, came: Attempt, fault: Fault | null, isInDoubt = false): Promise<Attempt> {
    const next = nextTry(orphan, fault, this.#stopping.signal.aborted);
    await this.#tools.guards.putOffOrphan(orphan, { ...next, isInDoubt });
    return came;
  }
}

const STOOD_STILL = 'This node stood still; another may be at it.';
const MAY_NOT_ACT = 'This node may not act: it could not show the others that it lives.';

function attempt(came: Partial<Attempt>): Attempt {
  return { seen: [], isSent: false, isReleased: false, problem: null, ...came };
}

/** What of a scope was not seen running. */
function heldIn(
  rows: readonly { readonly domain: string; readonly quiesceState: string }[],
  scope: QuiesceScope,
): Attempt['seen'] {
  return rowsInScope(rows, scope)
    .filter(({ quiesceState }) => quiesceState !== 'normal')
    .map(({ domain, quiesceState }) => ({ domain, quiesceState }));
}

/** When a guard is tried next: soon where the device answered, less and less often where it did not. */
function nextTry(orphan: Orphan, fault: Fault | null, isStopping: boolean): Omit<OrphanTry, 'isInDoubt'> {
  // What this node may not do, or gives up because it ends, says nothing of the device: the next may try at once.
  if (fault !== null && (isStopping || fault.code === 'SENDING_NOT_ALLOWED')) {
    return { problem: orphan.problem, attempts: orphan.attempts, pauseMs: 0 };
  }
  const attempts = fault === null ? 0 : orphan.attempts + 1;
  const doublings = Math.min(Math.max(attempts - 1, 0), 10);
  const pauseMs = Math.min(orphanPolicy.firstPauseMs * 2 ** doublings, orphanPolicy.longestPauseMs);
  return { problem: fault?.detail ?? null, attempts, pauseMs };
}
