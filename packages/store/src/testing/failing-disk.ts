import type { FileHandle } from 'node:fs/promises';

type AnyCall = (...args: unknown[]) => Promise<unknown>;

const calls = ['access', 'link', 'lstat', 'mkdir', 'readdir', 'readFile', 'rename', 'rm', 'statfs', 'unlink'];
const handleCalls = ['datasync', 'read', 'readFile', 'stat', 'sync', 'write', 'writeFile'];

/** When the calls of node:fs/promises fail, and with what. */
export interface Failure {
  /** Counted from 1. */
  readonly failsAtCall: number;
  /** Whether every later call fails too, as a power cut looks to what comes after it. */
  readonly isDead?: boolean;
  readonly errno?: string;
}

/** Passes calls of node:fs/promises on to the real ones, and lets one of them fail, or that one and every later one. */
export class FailingDisk {
  hasNoLinks = false;
  /** The names of the calls since the last `fail` or `heal`. */
  readonly asked: string[] = [];
  #failsAtCall = Number.POSITIVE_INFINITY;
  #isDead = false;
  #errno = 'EIO';

  fail({ failsAtCall, isDead = false, errno = 'EIO' }: Failure): void {
    this.asked.length = 0;
    this.#failsAtCall = failsAtCall;
    this.#isDead = isDead;
    this.#errno = errno;
  }

  heal(): void {
    this.hasNoLinks = false;
    this.fail({ failsAtCall: Number.POSITIVE_INFINITY });
  }

  /** What takes the place of node:fs/promises. */
  wrap(original: Record<string, unknown>): Record<string, unknown> {
    const wrapped = { ...original };
    for (const name of calls) wrapped[name] = this.#failing(name, original[name] as AnyCall);
    const open = this.#failing('open', original.open as AnyCall);
    wrapped.open = async (...args: unknown[]) => this.#wrapHandle((await open(...args)) as FileHandle);
    return wrapped;
  }

  #wrapHandle(handle: FileHandle): FileHandle {
    for (const name of handleCalls) {
      const method = (handle[name as 'sync'] as AnyCall).bind(handle);
      Object.defineProperty(handle, name, { value: this.#failing(name, method) });
    }
    const close = handle.close.bind(handle);
    // The kernel gives a descriptor back also when closing it fails.
    const closing = this.#failing('close', () => Promise.resolve());
    Object.defineProperty(handle, 'close', { value: () => close().then(() => closing()) });
    return handle;
  }

  #failing(name: string, call: AnyCall): AnyCall {
    return async (...args) => {
      if (this.hasNoLinks && name === 'link') throw errorOf('EPERM');
      this.asked.push(name);
      const isFailing = this.#isDead
        ? this.asked.length >= this.#failsAtCall
        : this.asked.length === this.#failsAtCall;
      if (isFailing) throw errorOf(this.#errno);
      return call(...args);
    };
  }
}

function errorOf(code: string): Error {
  return Object.assign(new Error(`${code}: planted`), { code, errno: -5, syscall: 'planted' });
}
