import { EventEmitter } from 'node:events';
import type { Kysely } from 'kysely';
import { type AnyProgram, driveSubject } from './drive-subject.ts';
import type { EngineTables } from './engine-tables.ts';
import { type Claim, JobQueue, LEASE_SECONDS, type QueueConnection, type QueueEntry } from './job-queue.ts';
import {
  factsAfter,
  insertFact,
  lockSubject,
  type Tables,
  type TablesTransaction,
  takeHold,
} from './journal.ts';
import type { Fact } from './program.ts';
import { WakeUp } from './wake-up.ts';

/** What happens in an engine, for logs, alarms and tests. */
export type EngineEvents = {
  fact: [{ readonly subjectId: string; readonly program: string; readonly fact: Fact }];
  ended: [{ readonly subjectId: string; readonly program: string; readonly verdict: unknown }];
  /** A bug: the state of the subject is unknown; it keeps its key blocked and is tried again after a while. */
  parked: [{ readonly subjectId: string; readonly program: string; readonly error: unknown }];
  problem: [Error];
};

/** What an engine is made of. `parallel` is asked before every claim, so it may change while the engine runs. */
export type EngineOptions<Tables> = {
  readonly db: Kysely<Tables>;
  readonly connection: QueueConnection;
  /** The same after a restart: what this node held when it died is taken over at once. */
  readonly nodeId: string;
  readonly programs: readonly { readonly program: AnyProgram; readonly parallel: () => number }[];
};

/** This node stops touching anything when its claims were not renewed for 0.7 of the lease. */
const FENCE_MS = LEASE_SECONDS * 700;
const RENEW_MS = 2_000;
const POLL_MS = 500;
const LONGEST_PARKED_MS = 60_000;

type Going = {
  readonly claim: Claim;
  readonly program: AnyProgram;
  readonly abort: AbortController;
  readonly done: Promise<void>;
};

/** Hosts programs: claims their subjects, drives them, survives the death of nodes. Knows nothing of what they are about. */
export class Engine extends EventEmitter<EngineEvents> {
  readonly #db: Tables;
  readonly #options: EngineOptions<EngineTables>;
  readonly #queue: JobQueue;
  readonly #wakeUp = new WakeUp();
  readonly #going = new Map<string, Going>();
  readonly #stopping = new AbortController();
  #isDraining = false;
  #renewedAt = performance.now();
  #loops: Promise<void>[] = [];

  constructor(options: EngineOptions<EngineTables>) {
    super();
    this.#db = options.db;
    this.#options = options;
    this.#queue = new JobQueue(options.connection, (error) => this.emit('problem', error));
  }

  async start(): Promise<void> {
    const names = this.#options.programs.map(({ program }) => program.name);
    await this.#queue.start(names);
    for (const name of names) await this.#queue.releaseDead(name, await this.#heldWhenDied(name));
    this.#loops = [
      ...this.#options.programs.map(({ program, parallel }) => this.#dispatch(program, parallel)),
      this.#renew(),
    ];
  }

  async #heldWhenDied(program: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('journal_subject')
      .select('id')
      .where('program', '=', program)
      .where('node_id', '=', this.#options.nodeId)
      .where('is_ended', '=', false)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Makes subjects known in a transaction of the caller's; nobody drives them before they are enqueued. */
  async create(
    trx: TablesTransaction,
    program: string,
    subjects: readonly { id: string; spec: object }[],
  ): Promise<void> {
    for (let from = 0; from < subjects.length; from += 1000) {
      const rows = subjects
        .slice(from, from + 1000)
        .map(({ id, spec }) => ({ id, program, spec: JSON.stringify(spec), node_id: null }));
      await trx.insertInto('journal_subject').values(rows).execute();
    }
  }

  /** Queues subjects in a transaction of the caller's. */
  async enqueue(trx: TablesTransaction, program: string, entries: readonly QueueEntry[]): Promise<void> {
    await this.#queue.enqueue(trx, program, entries);
  }

  /** Has the dispatchers look at their queues now, after a transaction that enqueued was committed. */
  lookForWork(): void {
    this.#wakeUp.wake('dispatch');
  }

  /**
   * Tells a subject something. Who drives it learns at once; one that nobody has begun to drive ends here if that is
   * what it wants to do now. False when it has ended already or is unknown.
   */
  async tell(subjectId: string, command: unknown): Promise<boolean> {
    const recorded = await this.#db.transaction().execute(async (trx) => {
      const subject = await lockSubject(trx, subjectId);
      if (subject === undefined || subject.is_ended) return null;
      const program = this.#programOf(subject.program);
      const facts = await factsAfter(trx, subjectId, 0);
      let state: unknown = facts.reduce(program.evolve, program.begin(subject.spec));
      let seq = subject.last_seq;
      const told: Fact[] = [];
      const record = async (fact: Fact): Promise<void> => {
        const before = state;
        state = program.evolve(before, fact);
        seq += 1;
        told.push(fact);
        await insertFact(trx, subjectId, seq, fact);
        await program.project(trx, { subjectId, fact, before, after: state });
      };
      await record({ type: 'told', at: Date.now(), command });
      const isUntouched = subject.token === 0;
      const step = isUntouched ? program.next(state, Date.now()) : null;
      if (step?.kind === 'finish') await record({ type: 'ended', at: Date.now(), verdict: step.verdict });
      return { program: program.name, facts: told };
    });
    for (const fact of recorded?.facts ?? []) this.#announce(recorded?.program ?? '', subjectId, fact);
    this.wake(subjectId);
    return recorded !== null;
  }

  /** Has a subject that this node drives look again at what it waits for. */
  wake(subjectId: string): void {
    this.#wakeUp.wake(subjectId);
  }

  /** The subjects of a program that this node is driving. */
  going(program: string): string[] {
    return [...this.#going.values()]
      .filter((going) => going.program.name === program)
      .map(({ claim }) => claim.subjectId);
  }

  /** Claims nothing more; what is going on goes on. */
  drain(): void {
    this.#isDraining = true;
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
    await this.#queue.stop();
  }

  #abortAll(): void {
    for (const { abort } of this.#going.values()) abort.abort();
  }

  async #dispatch(program: AnyProgram, parallel: () => number): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const free = parallel() - this.going(program.name).length;
      const claims = free > 0 && !this.#isDraining ? await this.#claim(program.name, free) : [];
      for (const claim of claims) this.#begin(claim, program);
      // A full hand means that more may be waiting.
      if (claims.length === 0 || claims.length < free) await this.#wakeUp.sleep('dispatch', POLL_MS, signal);
    }
  }

  async #claim(queue: string, count: number): Promise<Claim[]> {
    try {
      return await this.#queue.claim(queue, count);
    } catch (error) {
      this.emit('problem', asError(error));
      return [];
    }
  }

  #begin(claim: Claim, program: AnyProgram): void {
    if (this.#going.size === 0) this.#renewedAt = performance.now();
    const abort = new AbortController();
    const done = this.#drive(claim, program, abort.signal)
      .catch((error: unknown) => this.#park(claim, program, error, abort.signal))
      .catch((error: unknown) => void this.emit('problem', asError(error)))
      .finally(() => {
        this.#going.delete(claim.subjectId);
        this.lookForWork();
      });
    this.#going.set(claim.subjectId, { claim, program, abort, done });
  }

  async #drive(claim: Claim, program: AnyProgram, signal: AbortSignal): Promise<void> {
    const taken = await takeHold(this.#db, claim.subjectId, this.#options.nodeId);
    if (taken === null) return this.#queue.complete(claim);
    const end = await driveSubject(taken, program, {
      db: this.#db,
      wakeUp: this.#wakeUp,
      now: Date.now,
      signal,
      mustLetGo: () => signal.aborted || this.#isFenced(),
      onRecorded: (fact) => this.#announce(program.name, claim.subjectId, fact),
    });
    if (end === 'ended') await this.#queue.complete(claim);
    else if (!this.#isFenced()) await this.#queue.release(claim);
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
  async #park(claim: Claim, program: AnyProgram, error: unknown, signal: AbortSignal): Promise<void> {
    this.emit('parked', { subjectId: claim.subjectId, program: program.name, error });
    const parkedMs = Math.min(1000 * 2 ** Math.min(claim.attempt, 10), LONGEST_PARKED_MS);
    await this.#wakeUp.sleep(claim.subjectId, parkedMs, signal);
    if (!this.#isFenced()) await this.#queue.release(claim);
  }

  async #renew(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#wakeUp.sleep('renew', RENEW_MS, signal);
      if (this.#going.size === 0) continue;
      const askedAt = performance.now();
      try {
        for (const { program } of this.#options.programs) await this.#renewQueue(program.name);
        this.#renewedAt = askedAt;
      } catch (error) {
        this.emit('problem', asError(error));
      }
      if (this.#isFenced()) this.#abortAll();
    }
  }

  async #renewQueue(queue: string): Promise<void> {
    const going = [...this.#going.values()].filter(({ claim }) => claim.queue === queue);
    const kept = new Set(await this.#queue.renew(going.map(({ claim }) => claim)));
    for (const { claim, abort } of going)
      if (!kept.has(claim) && this.#going.has(claim.subjectId)) abort.abort();
  }

  /** Whether the claims may have been given to others; by a clock that also counts the time in which we were frozen. */
  #isFenced(): boolean {
    return performance.now() - this.#renewedAt > FENCE_MS;
  }

  #programOf(name: string): AnyProgram {
    const found = this.#options.programs.find(({ program }) => program.name === name);
    if (found === undefined) throw new Error(`No program of the name ${name} is hosted here.`);
    return found.program;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
