import type { Fact } from '@stillpoint/engine';

/**
 * A run or a task that does not go on, and what it met, in words that hold no value of it. `token` is what the try that
 * failed held it under: whoever took hold of it later has a higher one.
 */
export type ParkedSubject = {
  readonly subjectId: string;
  readonly token: number;
  readonly problem: string;
};

/** What an engine says of a subject that it parks. */
type Parking = { readonly subjectId: string; readonly token: number; readonly error: unknown };

/** A subject that was parked is tried again at least every minute; who hears nothing of it for longer was relieved of it. */
const BELIEVED_MS = 90_000;

/** What this node has parked and not brought forward since. */
export class ParkedSubjects {
  readonly #parked = new Map<string, { readonly subject: ParkedSubject; readonly since: number }>();
  /** Milliseconds that also count the time in which the process was frozen. */
  readonly #elapsed: () => number;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  onParked({ subjectId, token, error }: Parking): void {
    const subject = { subjectId, token, problem: problemOf(error) };
    this.#parked.set(subjectId, { subject, since: this.#elapsed() });
  }

  /** To have been taken hold of again is not yet to go on. */
  onFact({ subjectId, fact }: { readonly subjectId: string; readonly fact: Fact }): void {
    if (fact.type !== 'takenOver' && fact.type !== 'told') this.#parked.delete(subjectId);
  }

  list(): readonly ParkedSubject[] {
    for (const [subjectId, { since }] of this.#parked) {
      if (this.#elapsed() - since > BELIEVED_MS) this.#parked.delete(subjectId);
    }
    return [...this.#parked.values()].map(({ subject }) => subject);
  }
}

/** The kind of the error and its code, never its message, which may hold anything; that is in the log. */
function problemOf(error: unknown): string {
  const kind = error instanceof Error ? error.name : typeof error;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string'
    ? `It met an error of the kind ${kind} (${code}).`
    : `It met an error of the kind ${kind}.`;
}
