import type { Clock, Engine } from '@stillpoint/engine';
import type { Kysely } from 'kysely';
import { ParkedSubjects } from '../programs/parked-subjects.ts';
import { type Repetition, repeat } from '../programs/repeat.ts';
import { lookForAlarms } from './look-for-alarms.ts';
import type { Tables } from './tables.ts';

/** What an alarm watch works with. */
export type AlarmWatchTools = {
  readonly db: Kysely<Tables>;
  readonly clock: Pick<Clock, 'elapsed' | 'after'>;
  readonly nodeName: () => string;
  readonly onProblem: (error: unknown) => void;
};

const PAUSE_MS = 2_000;

/** Keeps the alarms true: looks every two seconds, and at once when a task is taken over, parked, or ends. */
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
      if (told.fact.type === 'takenOver' || told.fact.type === 'ended') void this.look();
    });
  }

  start(): void {
    this.#loop = repeat(this.#tools.clock, () => this.look(), PAUSE_MS, this.#tools.onProblem);
  }

  /** A look that is asked for while one goes on follows it, for that one may have been too early. Never rejects. */
  look(): Promise<void> {
    this.#isLookWanted = true;
    this.#look ??= this.#lookWhileWanted().finally(() => {
      this.#look = null;
    });
    return this.#look;
  }

  /** Resolves when nothing is looked for any more; whoever listens to the engine must have ended before. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
    await this.#look;
  }

  async #lookWhileWanted(): Promise<void> {
    const { db, nodeName, onProblem } = this.#tools;
    while (this.#isLookWanted) {
      this.#isLookWanted = false;
      await lookForAlarms(db, nodeName(), this.#parked.list()).catch(onProblem);
    }
  }
}
