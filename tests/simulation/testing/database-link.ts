import type { Journal, Queue } from '@stillpoint/engine';
import { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';
import type { Dice } from './dice.ts';
import type { Kernel } from './kernel.ts';
import type { ProcessBoundary } from './process-boundary.ts';

/** What the database of the simulated world is doing; its contents are memory. */
export class DatabaseState {
  isDown = false;
  /** Grows with every crash: what was answered in an older one never arrives. */
  epoch = 0;

  crash(): void {
    this.isDown = true;
    this.epoch += 1;
  }

  restart(): void {
    this.isDown = false;
  }
}

/**
 * The connection of one process to the database: takes time, breaks with the database, and holds everything back while
 * the two are cut off from each other. Who asks cannot tell whether what broke was carried out.
 */
export class DatabaseLink {
  readonly #kernel: Kernel;
  readonly #dice: Dice;
  readonly #database: DatabaseState;
  readonly #boundary: ProcessBoundary;
  readonly #held: (() => void)[] = [];
  #isCut = false;

  constructor(kernel: Kernel, dice: Dice, database: DatabaseState, boundary: ProcessBoundary) {
    this.#kernel = kernel;
    this.#dice = dice;
    this.#database = database;
    this.#boundary = boundary;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  cut(): void {
    this.#isCut = true;
  }

  /** What was held back arrives late. */
  heal(): void {
    this.#isCut = false;
    for (const goOn of this.#held.splice(0)) this.#kernel.after(this.#dice.between(0, 500), goOn);
  }

  /** A port whose calls go through this connection; those within a transaction are a part of it. */
  through<Port extends object>(port: Port): Port {
    const known = new Map<PropertyKey, unknown>();
    return new Proxy(port, {
      get: (target, name) => {
        const found = known.get(name);
        if (found !== undefined) return found;
        const method = (target as Record<PropertyKey, unknown>)[name];
        if (typeof method !== 'function') return method;
        const called = (...args: unknown[]): unknown =>
          args[0] instanceof MemoryTransaction
            ? method.apply(target, args)
            : this.#call(() => method.apply(target, args) as Promise<unknown>, false);
        known.set(name, called);
        return called;
      },
    });
  }

  /** The journal through this connection: what is done within a transaction is done by the process itself. */
  journal(journal: Journal<MemoryTransaction>): Journal<MemoryTransaction> {
    const port = this.through(journal);
    const transact: Journal<MemoryTransaction>['transact'] = (work) =>
      this.#call(() => journal.transact(work), true);
    return new Proxy(port, {
      get: (target, name) => (name === 'transact' ? transact : Reflect.get(target, name)),
    });
  }

  queue(queue: Queue<MemoryTransaction>): Queue<MemoryTransaction> {
    return this.through(queue);
  }

  /** One question to the database. */
  ask<Value>(work: () => Promise<Value>): Promise<Value> {
    return this.#call(work, false);
  }

  #call<Value>(work: () => Promise<Value>, isByProcess: boolean): Promise<Value> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => this.#boundary.enter(() => reject(new Error('The connection was lost.')));
      const answer = (settle: () => void, epoch: number): void => {
        const back = (): void => {
          if (epoch === this.#database.epoch) this.#boundary.enter(settle);
          else refuse();
        };
        // Most answers are there at once; those that take their time can meet something on the way.
        if (this.#dice.chance(0.6) && !this.#isCut) back();
        else this.#pass(back);
      };
      const arrive = (): void => {
        const { epoch, isDown } = this.#database;
        if (isDown) {
          refuse();
          return;
        }
        const run = (): void => {
          work().then(
            (value) => answer(() => resolve(value), epoch),
            (error: unknown) => answer(() => reject(error), epoch),
          );
        };
        if (isByProcess) this.#boundary.enter(run);
        else run();
      };
      this.#pass(arrive);
    });
  }

  #pass(goOn: () => void): void {
    this.#kernel.after(this.#dice.between(1, 4), () => {
      if (this.#isCut) this.#held.push(goOn);
      else goOn();
    });
  }
}
