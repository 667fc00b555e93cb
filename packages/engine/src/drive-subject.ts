import type { Clock } from './clock.ts';
import { GIVEN_UP } from './given-up.ts';
import { type Appended, append, type Journal, type Taken, transactHeld } from './journal.ts';
import type { AnyProgram, Effect, Fact, Performance, Reply } from './program.ts';
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
  /** Told of every fact once it is durable. */
  readonly onRecorded: (fact: Fact) => void;
};

/** How a drive ended: the subject has ended, or this node let go of it. */
export type DriveEnd = 'ended' | 'released';

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
    if (wasHeldBefore && (await this.#record({ type: 'takenOver', at: this.#now() }, false)) === 'lost')
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
    const step = this.#program.next(this.#state, this.#now(), this.#context.clock.now());
    switch (step.kind) {
      case 'finish': {
        const kind = await this.#record({ type: 'ended', at: this.#now(), verdict: step.verdict }, true);
        if (kind === 'appended') return 'ended';
        return kind === 'lost' ? 'released' : null;
      }
      case 'note':
        return (await this.#record({ type: 'noted', at: this.#now(), note: step.note }, true)) === 'lost'
          ? 'released'
          : null;
      case 'wait':
        await this.#sleep(step.until - this.#now(), this.#context.signal);
        return null;
      case 'do':
        return this.#program.isLook(step.effect) ? this.#look(step.effect) : this.#act(step.effect);
    }
  }

  async #act(effect: Effect): Promise<DriveEnd | null> {
    const { mustLetGo } = this.#context;
    const kind = await this.#record({ type: 'intended', at: this.#now(), effect }, true);
    if (kind !== 'appended') return kind === 'lost' ? 'released' : null;
    if (mustLetGo()) return 'released';
    const reply = await this.#perform(effect);
    if (mustLetGo()) return 'released';
    const settled = await this.#record({ type: 'settled', at: this.#now(), effect, reply }, false);
    return settled === 'lost' ? 'released' : null;
  }

  /** A look that told nothing new stays in memory: a poll of some minutes must not fill the journal. */
  async #look(effect: Effect): Promise<DriveEnd | null> {
    const { mustLetGo } = this.#context;
    const reply = await this.#perform(effect);
    if (mustLetGo()) return 'released';
    const fact: Fact = { type: 'settled', at: this.#now(), effect, reply };
    const after = this.#program.evolve(this.#state, fact);
    if (this.#program.isNews(this.#state, after)) {
      return (await this.#record(fact, false)) === 'lost' ? 'released' : null;
    }
    this.#state = after;
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

  async #record(fact: Fact, isConditional: boolean): Promise<Appended['kind']> {
    const { held } = this.#taken;
    const program = this.#program;
    let after = this.#state;
    const appended = await append(this.#context.journal, held, fact, isConditional, async (trx, missed) => {
      const before = missed.reduce(program.evolve, this.#state);
      after = program.evolve(before, fact);
      await program.project(trx, { subjectId: held.subjectId, fact, before, after });
    });
    if (appended.kind === 'appended') {
      this.#state = after;
      this.#context.onRecorded(fact);
    }
    if (appended.kind === 'behind') this.#takeIn(appended.facts);
    return appended.kind;
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

  #takeIn(facts: readonly Fact[]): void {
    this.#state = facts.reduce(this.#program.evolve, this.#state);
  }
}
