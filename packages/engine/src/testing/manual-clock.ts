import type { Clock } from '../clock.ts';

/** A clock that stands until it is moved on. */
export class ManualClock implements Clock {
  #elapsed = 0;
  #setMs = 0;
  readonly #timers = new Set<{ readonly dueAt: number; readonly wake: () => void }>();

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsed + this.#setMs;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  after(ms: number, wake: () => void): () => void {
    const timer = { dueAt: this.#elapsed + Math.max(0, ms), wake };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Somebody puts the clock forward, or back by less than nothing; no time passes. */
  set(byMs: number): void {
    this.#setMs += byMs;
  }

  /** Moves time on for a process that stands still: nothing fires before the next `pass`. */
  standStill(ms: number): void {
    this.#elapsed += ms;
  }

  /** Moves time on and fires what is due then, in order. */
  pass(ms: number): void {
    this.standStill(ms);
    const due = [...this.#timers].filter(({ dueAt }) => dueAt <= this.#elapsed);
    for (const timer of due.sort((one, other) => one.dueAt - other.dueAt)) {
      if (this.#timers.delete(timer)) timer.wake();
    }
  }
}
