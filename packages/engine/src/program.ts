/** What somebody else could not do: `effect` says whether it may have happened all the same. */
export type Fault = {
  readonly code: string;
  readonly effect: 'none' | 'unknown';
  readonly retryable: boolean;
  readonly detail: string;
};

/** What came of an effect. */
export type Reply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: Fault };

/** What the engine itself must know of an effect: its name. */
export type Effect = { readonly type: string };

/**
 * One line of a journal; `at` is milliseconds since the epoch. From one drive of a subject to the next, and before what is
 * told, it may jump either way, for each goes by the clock of its node; within a drive it goes on as time does.
 */
export type Fact =
  | { readonly type: 'intended'; readonly at: number; readonly effect: Effect }
  | { readonly type: 'settled'; readonly at: number; readonly effect: Effect; readonly reply: Reply }
  | { readonly type: 'takenOver'; readonly at: number }
  /** With `putOffMs` nobody holds the subject from here on, until so long has passed or it is told something. */
  | {
      readonly type: 'noted';
      readonly at: number;
      readonly note: unknown;
      readonly putOffMs?: number | undefined;
    }
  | { readonly type: 'told'; readonly at: number; readonly command: unknown }
  | { readonly type: 'ended'; readonly at: number; readonly verdict: unknown };

/** What a subject wants next. */
export type Step =
  | { readonly kind: 'do'; readonly effect: Effect }
  | { readonly kind: 'note'; readonly note: unknown }
  | { readonly kind: 'wait'; readonly until: number }
  /** To be let go of, and driven again after so many milliseconds: meanwhile others of its key go on. */
  | { readonly kind: 'later'; readonly note: unknown; readonly afterMs: number }
  | { readonly kind: 'finish'; readonly verdict: unknown };

/**
 * What an effect is performed with. The signal aborts when this node must let go of the subject, or, with the reason
 * `GIVEN_UP`, when the effect is given up.
 */
export type Performance<Transaction> = {
  readonly subjectId: string;
  readonly signal: AbortSignal;
  /**
   * Writes what an effect writes into the database, if the subject is still held by who performs it, and keeps it so until
   * all is written: whoever slept meanwhile writes nothing over the work of the next holder (`lost`).
   */
  transact<Value>(work: (trx: Transaction) => Promise<Value>): Promise<Written<Value>>;
};

/** What came of a transaction of a performance. */
export type Written<Value> = { readonly kind: 'written'; readonly value: Value } | { readonly kind: 'lost' };

/**
 * A program that the engine hosts: pure functions, and the one that touches the world. The engine knows nothing
 * of what it is about; facts of a program are the engine's with the program's own effects, notes and verdicts in them.
 */
export type Program<Spec, State, Transaction> = {
  readonly name: string;
  begin(spec: Spec): State;
  evolve(state: State, fact: Fact): State;
  /**
   * What to do at `now`, which goes on with the `at` of the drive's facts: all waits are told by it. `timeOfDay` is what
   * the clock says, which somebody may have set meanwhile.
   */
  next(state: State, now: number, timeOfDay: number): Step;
  /** Effects that only look: no intent is recorded before them. */
  isLook(effect: Effect): boolean;
  /** Whether what a look told is worth a line in the journal. */
  isNews(before: State, after: State): boolean;
  /** Whether an effect that is going on is no longer wanted after what was told meanwhile, and can safely be cut off. */
  isGivenUp(state: State, effect: Effect): boolean;
  /** Answers, and never throws, for what the world does; what it throws is a bug and stops the subject. */
  perform(effect: Effect, state: State, performance: Performance<Transaction>): Promise<Reply>;
  /** Writes what others read of a subject, in the transaction that appends the fact. */
  project(transaction: Transaction, change: Change<State>): Promise<void>;
  /** False when `project` writes nothing for a change, which then needs no transaction; left out, it always may. */
  isProjected?(change: Change<State>): boolean;
};

/** A program whose spec and state the engine does not look into. */
export type AnyProgram<Transaction> = Program<unknown, unknown, Transaction>;

/** One fact and what it changed. */
export type Change<State> = {
  readonly subjectId: string;
  readonly fact: Fact;
  readonly before: State;
  readonly after: State;
};
