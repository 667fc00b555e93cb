import type { Clock } from '@stillpoint/engine';
import type { Kernel } from './kernel.ts';

/**
 * One process of a node: all that comes back to it, and every timer of it, passes through here. So it can be killed
 * (nothing ever comes back), suspended (all of it comes back when it goes on, while the time went on) and slowed down.
 */
export class ProcessBoundary implements Clock {
  readonly #kernel: Kernel;
  readonly #startedAt: number;
  readonly #backlog: (() => void)[] = [];
  #isDead = false;
  #isSuspended = false;
  /** How often it was suspended. */
  suspensions = 0;
  /** How long it stood still, in milliseconds; what is still going on is not counted. */
  suspendedMs = 0;
  #suspendedAt = 0;
  /** What the wall clock is ahead of the truth, in milliseconds. */
  offsetMs: number;
  /** How long everything waits before the process gets to it, in milliseconds. */
  lagMs = 0;

  constructor(kernel: Kernel, offsetMs: number) {
    this.#kernel = kernel;
    this.#startedAt = kernel.now;
    this.offsetMs = offsetMs;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  readonly now = (): number => this.#kernel.now + this.offsetMs;

  readonly elapsed = (): number => this.#kernel.now - this.#startedAt;

  readonly after = (ms: number, wake: () => void): (() => void) => {
    let isCalledOff = false;
    const callOff = this.#kernel.after(ms + this.lagMs, () => this.enter(() => isCalledOff || wake()));
    return () => {
      // One that waits for the process to go on has left the kernel already.
      isCalledOff = true;
      callOff();
    };
  };

  /** Lets something into the process: now, when it goes on, or never. */
  enter(run: () => void): void {
    if (this.#isDead) return;
    if (this.#isSuspended) this.#backlog.push(run);
    else run();
  }

  /** Lets something in as an event of its own, after the lag of the process. */
  enterLater(run: () => void): void {
    this.#kernel.after(this.lagMs, () => this.enter(run));
  }

  kill(): void {
    this.#isDead = true;
    this.#backlog.length = 0;
  }

  suspend(): void {
    this.#isSuspended = true;
    this.suspensions += 1;
    this.#suspendedAt = this.#kernel.now;
  }

  /** All that waited comes at once, one by one, in an order that nobody chose. */
  resume(): void {
    this.#isSuspended = false;
    this.suspendedMs += this.#kernel.now - this.#suspendedAt;
    for (const run of this.#backlog.splice(0)) this.#kernel.after(0, () => this.enter(run));
  }
}
