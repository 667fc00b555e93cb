import { uptime } from 'node:os';

/**
 * An instant on two clocks that all processes of a machine share. The monotonic one goes on while a process stands still,
 * the uptime also while the whole machine does.
 */
export interface Until {
  readonly monotonicMs: number;
  readonly uptimeMs: number;
}

/** Reads the shared clocks; tests have clocks of their own. */
export type SharedClocks = () => Until;

const sharedClocks: SharedClocks = () => ({
  monotonicMs: Number(process.hrtime.bigint()) / 1e6,
  uptimeMs: uptime() * 1000,
});

/** Until when a server may act that says for how many milliseconds more it may; null when it may not. */
export function permittedUntil(mayActForMs: () => number, clocks: SharedClocks = sharedClocks): Until | null {
  // The clocks first: a server that stands still between the two then gives less, never more.
  const { monotonicMs, uptimeMs } = clocks();
  const leftMs = mayActForMs();
  return leftMs > 0 ? { monotonicMs: monotonicMs + leftMs, uptimeMs: uptimeMs + leftMs } : null;
}

const LOOK_EVERY_MS = 250;

/**
 * Whether a mover may still act for a task: as long as its server, which holds the task, goes on saying so. A server
 * that stands still says nothing, so the permission runs out; once it was seen to have run out, it is gone for good.
 */
export class Permission implements Disposable {
  readonly #ended = new AbortController();
  readonly #clocks: SharedClocks;
  readonly #timer: NodeJS.Timeout | undefined;
  #until: Until | null;

  /** With null nobody has to permit anything. */
  constructor(until: Until | null, clocks: SharedClocks = sharedClocks) {
    this.#until = until;
    this.#clocks = clocks;
    // Looks instead of one timer for the whole time: timers do not count the time in which the machine is suspended.
    // After a turn of the event loop: who had none for long reads first what came meanwhile.
    const look = (): void => void setImmediate(this.holds);
    if (until !== null) this.#timer = setInterval(look, LOOK_EVERY_MS).unref();
  }

  /** Aborts when the permission has run out. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  extend(until: Until): void {
    this.#until = until;
  }

  /** To be asked right before anything that others can see. */
  readonly holds = (): boolean => {
    if (this.#until === null) return true;
    const { monotonicMs, uptimeMs } = this.#clocks();
    const isOver = monotonicMs >= this.#until.monotonicMs || uptimeMs >= this.#until.uptimeMs;
    if (isOver) this.#ended.abort();
    return !this.#ended.signal.aborted;
  };

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
