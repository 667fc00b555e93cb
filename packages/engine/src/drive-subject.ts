import type { Clock } from './clock.ts';
import { GIVEN_UP } from './given-up.ts';
import { appendBehind, appendNext, catchUp, type Journal, type Taken, transactHeld } from './journal.ts';
import type { AnyProgram, Change, Effect, Fact, Performance, Reply, Step } from './program.ts';
import type { WakeUp } from './wake-up.ts';

/** What a drive needs from the node it runs on. */
export type DriveContext<Transaction> = {
  readonly journal: Journal<Transaction>;
  readonly wakeUp: WakeUp;
  readonly clock: Clock;
  /** Aborts when this node must let go of the subject. */
  readonly signal: AbortSignal;
  /** Also true when the signal is due and no timer could fire yet; after that nothing is begun and nothing is written. */
  readonly mustLetGo: () => boolean;
  /** Ends this node's claim in a transaction, and has the subject claimed again after so many milliseconds. */
  readonly putOff: (trx: Transaction, afterMs: number) => Promise<void>;
  /** Told of every fact once it is durable. */
  readonly onRecorded: (fact: Fact) => void;
};

/** How a drive ended: the subject has ended, or was put off and is no longer claimed, or this node let go of it. */
export type DriveEnd = 'ended' | 'putOff' | 'released';

/** The longest sleep: what other nodes told a subject is seen after at most this long. */
const LONGEST_SLEEP_MS = 5_000;

/**
 * Drives one subject to its end: fold, next, record the intent, perform, record the outcome, and again. Nothing is
 * written once somebody else has taken hold of the subject. Throws on bugs only.
 */
export async function driveSubject<Transaction>(
  taken: Taken,
  program: AnyProgram<Transaction>,
  context: DriveContext<Transaction>,
): Promise<DriveEnd> {
  const drive = new Drive(taken, program, context);
  return drive.run();
}

class Drive<Transaction> {
  readonly #taken: Taken;
  readonly #program: AnyProgram<Transaction>;
  readonly #context: DriveContext<Transaction>;
  readonly #beganAt: number;
  #state: unknown;
  /** What is known and goes into the journal with the next fact: the outcome of one effect, or what was looked at. */
  #unwritten: Change<unknown>[] = [];

  constructor(taken: Taken, program: AnyProgram<Transaction>, context: DriveContext<Transaction>) {
    this.#taken = taken;
    this.#program = program;
    this.#context = context;
    this.#beganAt = context.clock.now() - context.clock.elapsed();
    this.#state = taken.facts.reduce(program.evolve, program.begin(taken.spec));
  }

  async run(): Promise<DriveEnd> {
    const { mustLetGo } = this.#context;
    const wasHeldBefore = this.#taken.facts.some(({ type }) => type !== 'told');
    if (wasHeldBefore && !(await this.#recordBehind({ type: 'takenOver', at: this.#now() })))
      return 'released';
    while (!mustLetGo()) {
      const end = await this.#takeStep();
      if (end !== null) return end;
    }
    return 'released';
  }

  /**
   * What the clock said when the drive began, and what has passed since. By a clock that is put back or forward meanwhile
   * a drive would wait for hours, or take for settled what is not.
   */
  #now(): number {
    return Math.round(this.#beganAt + this.#context.clock.elapsed());
  }

  /** Null while there is more to do. */
  async #takeStep(): Promise<DriveEnd | null> {
    const step = await this.#nextStep();
    switch (step.kind) {
      case 'finish': {
        const recorded = await this.#record({ type: 'ended', at: this.#now(), verdict: step.verdict });
        return recorded === 'recorded' ? 'ended' : endAfter(recorded);
      }
      case 'note':
        return endAfter(await this.#record({ type: 'noted', at: this.#now(), note: step.note }));
      case 'later': {
        const { note, afterMs } = step;
        const fact: Fact = { type: 'noted', at: this.#now(), note, putOffMs: afterMs };
        const recorded = await this.#record(fact, (trx) => this.#context.putOff(trx, afterMs));
        return recorded === 'recorded' ? 'putOff' : endAfter(recorded);
      }
      case 'wait':
        if (this.#unwritten.length > 0) return endAfter(await this.#write([], null));
        await this.#sleep(step.until - this.#now(), this.#context.signal);
        return null;
      case 'do':
        return this.#program.isLook(step.effect) ? this.#look(step.effect) : this.#act(step.effect);
    }
  }

  async #nextStep(): Promise<Step> {
    try {
      return this.#program.next(this.#state, this.#now(), this.#context.clock.now());
    } catch (error) {
      // Who comes next with a mistake mended is to find all that was known.
      if (this.#unwritten.length > 0) await this.#write([], null);
      throw error;
    }
  }

  /** The outcome is written with what the subject does next, which is known at once. */
  async #act(effect: Effect): Promise<DriveEnd | null> {
    const { mustLetGo } = this.#context;
    const recorded = await this.#record({ type: 'intended', at: this.#now(), effect });
    if (recorded !== 'recorded') return endAfter(recorded);
    if (mustLetGo()) return 'released';
    const reply = await this.#perform(effect);
    if (mustLetGo()) return 'released';
    this.#know(this.#changeBy({ type: 'settled', at: this.#now(), effect, reply }));
    return null;
  }

  /**
   * A look that told nothing new stays in memory: a poll of some minutes must not fill the journal. What others read is
   * written at once, the rest with the next fact: who finds it missing looks again.
   */
  async #look(effect: Effect): Promise<DriveEnd | null> {
    const { mustLetGo } = this.#context;
    // The outcome of an effect waits for no look.
    if (this.#hasOutcome) return endAfter(await this.#write([], null));
    const reply = await this.#perform(effect);
    if (mustLetGo()) return 'released';
    const change = this.#changeBy({ type: 'settled', at: this.#now(), effect, reply });
    if (!this.#program.isNews(change.before, change.after)) {
      this.#state = change.after;
      return null;
    }
    if (this.#isProjected(change)) return endAfter(await this.#write([change], null));
    this.#know(change);
    return null;
  }

  /** Listens meanwhile, for an effect may take hours and what is told may make it pointless. */
  async #perform(effect: Effect): Promise<Reply> {
    const { held } = this.#taken;
    const { signal, journal } = this.#context;
    const over = new AbortController();
    const givenUp = new AbortController();
    const listening = this.#listen(effect, givenUp, AbortSignal.any([signal, over.signal]));
    try {
      const performance: Performance<Transaction> = {
        subjectId: held.subjectId,
        signal: AbortSignal.any([signal, givenUp.signal]),
        transact: (work) => transactHeld(journal, held, work),
      };
      return await this.#program.perform(effect, this.#state, performance);
    } finally {
      over.abort('over');
      await listening;
    }
  }

  async #listen(effect: Effect, givenUp: AbortController, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#sleep(LONGEST_SLEEP_MS, signal);
      } catch {
        // A database that is away is told when the outcome cannot be recorded.
      }
      if (this.#program.isGivenUp(this.#state, effect)) return givenUp.abort(GIVEN_UP);
    }
  }

  #changeBy(fact: Fact): Change<unknown> {
    const { subjectId } = this.#taken.held;
    return { subjectId, fact, before: this.#state, after: this.#program.evolve(this.#state, fact) };
  }

  #know(change: Change<unknown>): void {
    this.#unwritten.push(change);
    this.#state = change.after;
  }

  #isProjected(change: Change<unknown>): boolean {
    return this.#program.isProjected?.(change) ?? true;
  }

  get #hasOutcome(): boolean {
    const [first] = this.#unwritten;
    return first?.fact.type === 'settled' && !this.#program.isLook(first.fact.effect);
  }

  /** Records one more fact with what is not written yet; `withIt` is done in the same transaction. */
  async #record(fact: Fact, withIt: ((trx: Transaction) => Promise<void>) | null = null): Promise<Recorded> {
    const change = this.#changeBy(fact);
    // What an intent needs written may be refused, which must not take the outcome before it along.
    const isRefusable = fact.type === 'intended' && this.#isProjected(change);
    if (!isRefusable || !this.#hasOutcome) return this.#write([change], withIt);
    const recorded = await this.#write([], null);
    return recorded === 'recorded' ? 'again' : recorded;
  }

  /** Writes what is not written yet and some more, all of it or nothing. */
  async #write(
    more: readonly Change<unknown>[],
    withIt: ((trx: Transaction) => Promise<void>) | null,
  ): Promise<Recorded> {
    const changes = [...this.#unwritten, ...more];
    const projected = changes.filter((change) => this.#isProjected(change));
    const project = async (trx: Transaction): Promise<void> => {
      for (const change of projected) await this.#program.project(trx, change);
      await withIt?.(trx);
    };
    const facts = changes.map(({ fact }) => fact);
    const { held } = this.#taken;
    const isPlain = projected.length === 0 && withIt === null;
    if (!(await appendNext(this.#context.journal, held, facts, isPlain ? null : project)))
      return this.#writeBehindOthers();
    this.#state = changes.at(-1)?.after ?? this.#state;
    this.#unwritten = [];
    for (const fact of facts) this.#context.onRecorded(fact);
    return 'recorded';
  }

  /** Others wrote meanwhile: an outcome comes behind that, all else is to be thought over. */
  async #writeBehindOthers(): Promise<Recorded> {
    const [outcome] = this.#unwritten;
    if (outcome !== undefined && this.#hasOutcome) {
      this.#forgetUnwritten();
      return (await this.#recordBehind(outcome.fact)) ? 'again' : 'released';
    }
    const missed = await catchUp(this.#context.journal, this.#taken.held);
    if (missed.kind === 'lost') return 'released';
    this.#takeIn(missed.facts);
    return 'again';
  }

  /** False when somebody else holds the subject. */
  async #recordBehind(fact: Fact): Promise<boolean> {
    const { held } = this.#taken;
    const program = this.#program;
    let after = this.#state;
    const isAppended = await appendBehind(this.#context.journal, held, fact, async (trx, missed) => {
      const before = missed.reduce(program.evolve, this.#state);
      after = program.evolve(before, fact);
      await program.project(trx, { subjectId: held.subjectId, fact, before, after });
    });
    if (!isAppended) return false;
    this.#state = after;
    this.#context.onRecorded(fact);
    return true;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { journal, wakeUp } = this.#context;
    const { held } = this.#taken;
    await wakeUp.sleep(held.subjectId, Math.min(ms, LONGEST_SLEEP_MS), signal);
    if (signal.aborted) return;
    const missed = await journal.factsAfter(null, held.subjectId, held.seq);
    held.seq += missed.length;
    this.#takeIn(missed);
  }

  /** What was looked at meanwhile and not written is forgotten: in the journal it would stand in another order. */
  #takeIn(facts: readonly Fact[]): void {
    if (facts.length === 0) return;
    this.#forgetUnwritten();
    this.#state = facts.reduce(this.#program.evolve, this.#state);
  }

  #forgetUnwritten(): void {
    this.#state = this.#unwritten.at(0)?.before ?? this.#state;
    this.#unwritten = [];
  }
}

/** `again`: others wrote meanwhile, or something had to be written before; what to do next may be another. */
type Recorded = 'recorded' | 'again' | 'released';

function endAfter(recorded: Recorded): DriveEnd | null {
  return recorded === 'released' ? 'released' : null;
}
