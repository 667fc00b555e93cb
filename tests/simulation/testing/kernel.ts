import { Dice } from './dice.ts';

type Event = { readonly at: number; readonly tie: number; readonly number: number; run: (() => void) | null };

/**
 * Virtual time: events in the order of their instants, those of one instant in an order that the seed decides. Nothing
 * here waits; a history of hours takes milliseconds.
 */
export class Kernel {
  /** Milliseconds since the epoch, as nobody in the simulated world can know them for certain. */
  now: number;
  /** Events that have run. */
  steps = 0;
  readonly #heap: Event[] = [];
  readonly #ties: Dice;
  #number = 0;

  constructor(seed: number, startAt: number) {
    this.now = startAt;
    this.#ties = new Dice(seed, 'ties');
  }

  /** Has something done after so many milliseconds; what it answers calls that off. */
  after(ms: number, run: () => void): () => void {
    this.#number += 1;
    const at = this.now + Math.max(0, ms);
    const event: Event = { at, tie: this.#ties.bits(), number: this.#number, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  /**
   * Runs one event after the other, each with all that follows from it, until `isOver` or nothing is left or the
   * instant has come. `afterEach` looks at the world after every event.
   */
  async run(until: number, isOver: () => boolean, afterEach: () => void): Promise<void> {
    await drained();
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.at > until || isOver()) return;
      this.#pop();
      if (event.run === null) continue;
      this.now = event.at;
      this.steps += 1;
      event.run();
      await drained();
      afterEach();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Event;
      if (isBefore(parent, event)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, heap[below] as Event)) below += 1;
      const child = heap[below] as Event;
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  if (one.at !== other.at) return one.at < other.at;
  if (one.tie !== other.tie) return one.tie < other.tie;
  return one.number < other.number;
}

/**
 * Resolves when every promise that could go on has gone on. A tick asked for by a promise's turn comes when no promise
 * is left to take its turn, without a round of the event loop, which would cost a hundred times as much.
 */
function drained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
