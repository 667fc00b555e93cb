import type { Clock } from './clock.ts';
import { pause } from './pause.ts';

/** Lets many sleepers be woken by name, by time, or by an abort; leaves no timer behind. */
export class WakeUp {
  readonly #clock: Clock;
  readonly #sleepers = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `ms`, at once when the name is woken or the signal aborts. */
  async sleep(name: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const sleepers = this.#sleepers.get(name) ?? new Set();
    this.#sleepers.set(name, sleepers);
    let wake = (): void => undefined;
    await pause(this.#clock, ms, signal, (end) => {
      wake = end;
      sleepers.add(wake);
    });
    sleepers.delete(wake);
    if (sleepers.size === 0 && this.#sleepers.get(name) === sleepers) this.#sleepers.delete(name);
  }

  /** Wakes everyone who sleeps under the name. */
  wake(name: string): void {
    for (const wake of [...(this.#sleepers.get(name) ?? [])]) wake();
  }
}
