import type { Clock, Engine, Fact } from '@stillpoint/engine';
import { type ParkedSubject, ParkedSubjects } from '../programs/parked-subjects.ts';
import { type Repetition, repeat } from '../programs/repeat.ts';

/** What an alarm watch works with. */
export type AlarmWatchTools = {
  /** Opens and closes alarms by what is true now; given what this node has parked. */
  readonly lookForAlarms: (parked: readonly ParkedSubject[]) => Promise<void>;
  readonly clock: Pick<Clock, 'elapsed' | 'after'>;
  readonly onProblem: (error: unknown) => void;
};

const PAUSE_MS = 2_000;

/** Keeps the alarms true: looks every two seconds, and at once when a task is taken over, parked, or ends in trouble. */
export class AlarmWatch {
  readonly #tools: AlarmWatchTools;
  readonly #parked: ParkedSubjects;
  #loop: Repetition | null = null;
  #isLookWanted = false;
  #look: Promise<void> | null = null;

  constructor(tools: AlarmWatchTools) {
    this.#tools = tools;
    this.#parked = new ParkedSubjects(() => tools.clock.elapsed());
  }

  listenTo<Transaction>(engine: Engine<Transaction>): void {
    engine.on('parked', (parked) => {
      this.#parked.onParked(parked);
      void this.look();
    });
    engine.on('fact', (told) => {
      this.#parked.onFact(told);
      if (told.fact.type === 'takenOver' || isEndInTrouble(told.fact)) void this.look();
    });
  }

  start(): void {
    this.#loop = repeat(this.#tools.clock, () => this.look(), PAUSE_MS, this.#tools.onProblem);
  }

  /** A look that is asked for while one goes on follows it, for that one may have been too early. Never rejects. */
  look(): Promise<void> {
    this.#isLookWanted = true;
    this.#look ??= this.#lookWhileWanted();
    return this.#look;
  }

  /** Resolves when nothing is looked for any more; whoever listens to the engine must have ended before. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
    await this.#look;
  }

  async #lookWhileWanted(): Promise<void> {
    const { lookForAlarms, onProblem } = this.#tools;
    while (this.#isLookWanted) {
      this.#isLookWanted = false;
      await lookForAlarms(this.#parked.list()).catch(onProblem);
    }
    // In the same breath as the last question whether a look is wanted: one that is asked for from here on is another.
    this.#look = null;
  }
}

/** What went well may close an alarm, which can wait for the next look; with thousands of tasks most do. */
function isEndInTrouble(fact: Fact): boolean {
  return fact.type === 'ended' && (fact.verdict as { readonly status?: unknown }).status !== 'SUCCEEDED';
}
