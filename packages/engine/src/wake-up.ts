import type { Clock } from './clock.ts';

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
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        callOff();
        signal.removeEventListener('abort', wake);
        const sleepers = this.#sleepers.get(name);
        sleepers?.delete(wake);
        if (sleepers?.size === 0) this.#sleepers.delete(name);
        resolve();
      };
      const callOff = this.#clock.after(ms, wake);
      signal.addEventListener('abort', wake);
      this.#sleepers.set(name, (this.#sleepers.get(name) ?? new Set()).add(wake));
    });
  }

  /** Wakes everyone who sleeps under the name. */
  wake(name: string): void {
    for (const wake of [...(this.#sleepers.get(name) ?? [])]) wake();
  }
}
