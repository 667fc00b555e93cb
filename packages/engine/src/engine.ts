import { EventEmitter } from 'node:events';
import type { Clock } from './clock.ts';
import { driveSubject } from './drive-subject.ts';
import type { Journal, NewSubject } from './journal.ts';
import { PlaceTaken } from './place-taken.ts';
import type { AnyProgram, Fact } from './program.ts';
import { type Claim, LEASE_SECONDS, type Queue, type QueueEntry } from './queue.ts';
import { tellIn, tellSubject } from './tell-subject.ts';
import { WakeUp } from './wake-up.ts';

/** What happens in an engine, for logs, alarms and tests. */
export type EngineEvents = {
  fact: [{ readonly subjectId: string; readonly program: string; readonly fact: Fact }];
  ended: [{ readonly subjectId: string; readonly program: string; readonly verdict: unknown }];
  /** It was let go of, and is driven again after a while. */
  putOff: [{ readonly subjectId: string; readonly program: string }];
  /**
   * A bug: the state of the subject is unknown; it keeps its key blocked and is tried again after a while. `token` is what
   * the try that failed held it under, or would have.
   */
  parked: [
    { readonly subjectId: string; readonly program: string; readonly token: number; readonly error: unknown },
  ];
  /** Another process took this node's place: from here on this one touches nothing, and is to end. */
  placeTaken: [PlaceTaken];
  problem: [Error];
};

/** A program and how many of its subjects this node drives at once; asked before every claim, so it may change. */
export type HostedProgram<Transaction> = {
  readonly program: AnyProgram<Transaction>;
  readonly parallel: () => number;
};

/** What an engine is made of. */
export type EngineOptions<Transaction> = {
  readonly journal: Journal<Transaction>;
  readonly queue: Queue<Transaction>;
  readonly clock: Clock;
  /** The same after a restart: what this node held when it died is taken over at once. */
  readonly nodeId: string;
  readonly programs: readonly HostedProgram<Transaction>[];
  /**
   * Shows the others that this node lives. While it fails the node fences itself, with work in hand or without; at once and
   * for good when it throws `PlaceTaken`.
   */
  readonly beat?: () => Promise<void>;
};

/** This node stops touching anything when its claims were not renewed for 0.7 of the lease. */
const FENCE_MS = LEASE_SECONDS * 700;
const RENEW_MS = 2_000;
const FENCE_LOOK_MS = 1_000;
const POLL_MS = 500;
/**
 * What was begun elsewhere and lost is taken over beside whatever goes on here, and by a node that drains too: a gateway may
 * wait quiesced for it.
 */
const BEGUN_AT_ONCE = 50;
const LONGEST_PARKED_MS = 60_000;

type Going<Transaction> = {
  readonly claim: Claim;
  readonly program: AnyProgram<Transaction>;
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** When it was last known to be ours, by the clock's `elapsed`: right before that was asked. */
  heldAt: number;
};

/** Hosts programs: claims their subjects, drives them, survives the death of nodes. Knows nothing of what they are about. */
export class Engine<Transaction> extends EventEmitter<EngineEvents> {
  readonly #options: EngineOptions<Transaction>;
  readonly #wakeUp: WakeUp;
  readonly #going = new Map<string, Going<Transaction>>();
  readonly #stopping = new AbortController();
  /** What is asked for and may still be begun. */
  readonly #looks = new Set<Promise<number>>();
  #isDraining = false;
  #isPlaceTaken = false;
  #renewedAt: number;
  #loops: Promise<void>[] = [];

  constructor(options: EngineOptions<Transaction>) {
    super();
    this.#options = options;
    this.#wakeUp = new WakeUp(options.clock);
    this.#renewedAt = options.clock.elapsed();
  }

  async start(): Promise<void> {
    const { programs, queue, journal, nodeId, clock, beat } = this.#options;
    const names = programs.map(({ program }) => program.name);
    await queue.start(names);
    this.#renewedAt = clock.elapsed();
    await beat?.();
    for (const name of names) await queue.releaseDead(name, await journal.heldLastBy(nodeId, name));
    this.#loops = [...programs.map((hosted) => this.#dispatch(hosted)), this.#renew(), this.#watchFence()];
  }

  /** A transaction of the caller's on the journal. */
  transact<Value>(work: (trx: Transaction) => Promise<Value>): Promise<Value> {
    return this.#options.journal.transact(work);
  }

  /** Makes subjects known; nobody drives them before they are enqueued. */
  create(trx: Transaction, program: string, subjects: readonly NewSubject[]): Promise<void> {
    return this.#options.journal.create(trx, program, subjects);
  }

  enqueue(trx: Transaction, program: string, entries: readonly QueueEntry[]): Promise<void> {
    return this.#options.queue.enqueue(trx, program, entries);
  }

  /** Has the dispatchers look at their queues now, after a transaction that enqueued was committed. */
  lookForWork(): void {
    for (const { program } of this.#options.programs) this.#wakeUp.wake(dispatcherOf(program.name));
  }

  /**
   * Tells a subject something. Who drives it learns at once; one that nobody has begun to drive, or that was put off, ends
   * here if that is what it wants to do now. False when it has ended already or is unknown.
   */
  async tell(subjectId: string, command: unknown): Promise<boolean> {
    const { journal, clock } = this.#options;
    const told = await tellSubject(journal, this.#programOf, clock, subjectId, command);
    for (const fact of told?.facts ?? []) this.#announce(told?.program ?? '', subjectId, fact);
    this.wake(subjectId);
    return told !== null;
  }

  /** Tells a subject something in a transaction of the caller's, who wakes it when that was committed. */
  async tellIn(trx: Transaction, subjectId: string, command: unknown): Promise<boolean> {
    const { journal, clock } = this.#options;
    return (await tellIn(trx, journal, this.#programOf, clock, subjectId, command)) !== null;
  }

  /** Has a subject that this node drives look again at what it waits for; one that is parked stays so. */
  wake(subjectId: string): void {
    this.#wakeUp.wake(subjectId);
  }

  /** The subjects of a program that this node is driving. */
  going(program: string): string[] {
    return [...this.#going.values()]
      .filter((going) => going.program.name === program)
      .map(({ claim }) => claim.subjectId);
  }

  /** Begins nothing more; what was begun, here or elsewhere, goes on. Resolves when what was being claimed is going too. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await Promise.all(this.#looks);
  }

  /** Lets go of everything and ends; what was going on is taken over by whoever comes next. */
  async stop(): Promise<void> {
    this.#isDraining = true;
    this.#stopping.abort();
    this.#abortAll();
    await Promise.all(this.#loops);
    // A claim that was on its way has begun a drive meanwhile.
    this.#abortAll();
    await Promise.all([...this.#going.values()].map(({ done }) => done));
    await this.#options.queue.stop();
  }

  /**
   * Whether what this node holds may have been given to others, because it could not renew: then it touches no device.
   * When it opens again, whatever was lost meanwhile has been aborted.
   */
  isFenced(): boolean {
    return this.#isStale(this.#renewedAt);
  }

  /** How many milliseconds more this node may act if it renews nothing meanwhile; 0 when it is fenced. */
  mayActForMs(): number {
    if (this.#isPlaceTaken) return 0;
    return Math.max(0, this.#renewedAt + FENCE_MS - this.#options.clock.elapsed());
  }

  #isStale(heldAt: number): boolean {
    return this.#isPlaceTaken || this.#options.clock.elapsed() - heldAt > FENCE_MS;
  }

  #abortAll(): void {
    for (const { abort } of this.#going.values()) abort.abort();
  }

  async #dispatch({ program, parallel }: HostedProgram<Transaction>): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    let lookedAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const free = parallel() - this.going(program.name).length;
      const hasRoom = free > 0 && !this.#isDraining;
      // With both hands full it is only looked for what was begun, and that now and then.
      const notBeforeMs = hasRoom ? 0 : lookedAt + POLL_MS - clock.elapsed();
      if (notBeforeMs > 0) {
        await this.#wakeUp.sleep(dispatcherOf(program.name), notBeforeMs, signal);
        continue;
      }
      const count = hasRoom ? free : BEGUN_AT_ONCE;
      lookedAt = clock.elapsed();
      const look = this.#beginSome(program, count, hasRoom ? 'any' : 'begun');
      this.#looks.add(look);
      const begun = await look;
      this.#looks.delete(look);
      // A full hand means that more may be waiting.
      if (begun < count) await this.#wakeUp.sleep(dispatcherOf(program.name), POLL_MS, signal);
    }
  }

  /** Answers how many it has begun. */
  async #beginSome(program: AnyProgram<Transaction>, count: number, which: 'any' | 'begun'): Promise<number> {
    const askedAt = this.#options.clock.elapsed();
    const claims = await this.#claim(program.name, count, which);
    for (const claim of claims) this.#begin(claim, program, askedAt);
    return claims.length;
  }

  async #claim(queue: string, count: number, which: 'any' | 'begun'): Promise<Claim[]> {
    // What a fenced node claims it may not work on yet.
    if (this.isFenced()) return [];
    try {
      return await this.#options.queue.claim(queue, count, which);
    } catch (error) {
      this.emit('problem', asError(error));
      return [];
    }
  }

  #begin(claim: Claim, program: AnyProgram<Transaction>, claimedAt: number): void {
    const abort = new AbortController();
    const ready = Promise.withResolvers<Going<Transaction>>();
    const done = ready.promise
      .then((going) => this.#drive(going))
      .catch((error: unknown) => this.#park(claim, program, error, abort.signal))
      .catch((error: unknown) => void this.emit('problem', asError(error)))
      .finally(() => {
        if (this.#going.get(claim.subjectId) === going) this.#going.delete(claim.subjectId);
        // Its key and its place are free.
        this.#wakeUp.wake(dispatcherOf(program.name));
      });
    const going = { claim, program, abort, done, heldAt: claimedAt };
    // One that was lost and claimed again may not have noticed yet.
    this.#going.get(claim.subjectId)?.abort.abort();
    this.#going.set(claim.subjectId, going);
    ready.resolve(going);
  }

  async #drive(going: Going<Transaction>): Promise<void> {
    const { journal, queue, clock, nodeId } = this.#options;
    const { claim, program, abort } = going;
    const mustLetGo = (): boolean => abort.signal.aborted || this.#isStale(going.heldAt);
    if (mustLetGo()) return queue.release(claim);
    const hold = await journal.takeHold(claim.subjectId, tokenOf(claim), nodeId);
    if (hold.kind === 'gone') return queue.complete(claim);
    if (hold.kind === 'superseded') return queue.release(claim);
    const end = await driveSubject(hold.taken, program, {
      journal,
      wakeUp: this.#wakeUp,
      clock,
      signal: abort.signal,
      mustLetGo,
      putOff: async (trx, afterMs) => {
        await journal.letGo(trx, claim.subjectId);
        await queue.putOff(trx, claim, afterMs);
      },
      onRecorded: (fact) => this.#announce(program.name, claim.subjectId, fact),
    });
    if (end === 'ended') await queue.complete(claim);
    if (end === 'released') await queue.release(claim);
    if (end === 'putOff') this.emit('putOff', { subjectId: claim.subjectId, program: program.name });
  }

  /** For those who listen; the fact is durable by now. */
  #announce(program: string, subjectId: string, fact: Fact): void {
    this.emit('fact', { subjectId, program, fact });
    if (fact.type === 'ended') this.emit('ended', { subjectId, program, verdict: fact.verdict });
  }

  /**
   * A mistake of ours, or a database that is away: nobody knows how the subject stands, so its key stays blocked while
   * the alarm is out. The first tries come soon, because a device may wait quiesced.
   */
  async #park(
    claim: Claim,
    program: AnyProgram<Transaction>,
    error: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const { subjectId, attempt } = claim;
    this.emit('parked', { subjectId, program: program.name, token: tokenOf(claim), error });
    const parkedMs = Math.min(1000 * 2 ** Math.min(attempt, 10), LONGEST_PARKED_MS);
    await this.#wakeUp.sleep(`parked ${subjectId}`, parkedMs, signal);
    await this.#options.queue.release(claim);
  }

  async #renew(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#wakeUp.sleep('renew', RENEW_MS, signal);
      const askedAt = this.#options.clock.elapsed();
      try {
        await this.#options.beat?.();
        await this.#options.queue.tend();
        for (const { program } of this.#options.programs) await this.#renewQueue(program.name, askedAt);
        this.#renewedAt = askedAt;
      } catch (error) {
        if (error instanceof PlaceTaken) return this.#giveWay(error);
        this.emit('problem', asError(error));
      }
      if (this.isFenced()) this.#abortAll();
    }
  }

  /** A database that neither answers nor breaks holds up the renewing; what goes on is let go of in time all the same. */
  async #watchFence(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#wakeUp.sleep('fence', FENCE_LOOK_MS, signal);
      if (this.isFenced()) this.#abortAll();
    }
  }

  #giveWay(taken: PlaceTaken): void {
    this.#isPlaceTaken = true;
    this.#abortAll();
    this.emit('placeTaken', taken);
  }

  async #renewQueue(queue: string, askedAt: number): Promise<void> {
    const going = [...this.#going.values()].filter(({ claim }) => claim.queue === queue);
    const kept = new Set(await this.#options.queue.renew(going.map(({ claim }) => claim)));
    for (const one of going) {
      if (kept.has(one.claim)) one.heldAt = askedAt;
      else if (this.#going.get(one.claim.subjectId) === one) one.abort.abort();
    }
  }

  readonly #programOf = (name: string): AnyProgram<Transaction> => {
    const found = this.#options.programs.find(({ program }) => program.name === name);
    if (found === undefined) throw new Error(`No program of the name ${name} is hosted here.`);
    return found.program;
  };
}

/** Each claim of a subject has a higher attempt than those before: late holders are refused by it, not by luck. */
function tokenOf(claim: Claim): number {
  return claim.attempt + 1;
}

function dispatcherOf(program: string): string {
  return `dispatch ${program}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
