import type { StoreCode } from './store-catalogue.ts';

/** What went wrong in the world: `effect: 'unknown'` means the asked-for change may have happened all the same. */
export interface Fault {
  readonly code: StoreCode;
  readonly effect: 'none' | 'unknown';
  readonly retryable: boolean;
  readonly detail: string;
}

/** The answer of every function here that touches a disk; such functions throw for bugs only. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

/** A fault on its way up to the public function that turns it into a reply. */
export class FaultError extends Error {
  readonly code: StoreCode;
  readonly isRetryable: boolean;

  constructor(code: StoreCode, detail: string, isRetryable = false) {
    super(detail);
    this.code = code;
    this.isRetryable = isRetryable;
  }
}

const codeOfErrno: Readonly<Record<string, { code: StoreCode; isRetryable: boolean }>> = {
  ENOSPC: { code: 'STORE_OUT_OF_SPACE', isRetryable: false },
  EDQUOT: { code: 'STORE_OUT_OF_SPACE', isRetryable: false },
  EROFS: { code: 'STORE_READ_ONLY', isRetryable: false },
  EACCES: { code: 'STORE_ACCESS_DENIED', isRetryable: false },
  EPERM: { code: 'STORE_ACCESS_DENIED', isRetryable: false },
  EMFILE: { code: 'STORE_TOO_MANY_OPEN_FILES', isRetryable: true },
  ENFILE: { code: 'STORE_TOO_MANY_OPEN_FILES', isRetryable: true },
  ESTALE: { code: 'STORE_CONNECTION_LOST', isRetryable: true },
  ENOTCONN: { code: 'STORE_CONNECTION_LOST', isRetryable: true },
  ECONNABORTED: { code: 'STORE_CONNECTION_LOST', isRetryable: true },
  ECONNRESET: { code: 'STORE_CONNECTION_LOST', isRetryable: true },
  EHOSTDOWN: { code: 'STORE_CONNECTION_LOST', isRetryable: true },
  EHOSTUNREACH: { code: 'STORE_CONNECTION_LOST', isRetryable: true },
  ETIMEDOUT: { code: 'STORE_CONNECTION_LOST', isRetryable: true },
};

/** The errno name of a failed system call (`ENOSPC`), or nothing when the error is not one. */
export function errnoOf(thrown: unknown): string | undefined {
  const error = firstOf(thrown);
  if (!(error instanceof Error) || !('code' in error) || !('errno' in error)) return undefined;
  const { code, errno } = error;
  return typeof code === 'string' && typeof errno === 'number' && /^E[A-Z0-9]+$/.test(code)
    ? code
    : undefined;
}

// When closing a file fails as well, the language hands over both errors; the first one tells the cause.
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

/** The fault behind an error, or nothing when the error is a bug that must go on being thrown. */
function faultOf(thrown: unknown, doing: string, effect: Fault['effect']): Fault | undefined {
  const error = firstOf(thrown);
  if (error instanceof FaultError) {
    return { code: error.code, effect, retryable: error.isRetryable, detail: error.message };
  }
  const errno = errnoOf(error);
  if (errno === undefined) return undefined;
  const { code, isRetryable } = codeOfErrno[errno] ?? { code: 'STORE_IO_ERROR', isRetryable: true };
  return {
    code,
    effect,
    retryable: isRetryable,
    detail: `While ${doing}, the file system answered ${errno}.`,
  };
}

/**
 * Runs one step; what the world does to it becomes a fault, a bug stays an exception. A step that changes what others
 * can see calls `begins` right before; a fault after that has an unknown effect.
 */
export async function attempt<T>(doing: string, step: (begins: () => void) => Promise<T>): Promise<Reply<T>> {
  let effect: Fault['effect'] = 'none';
  const begins = (): void => {
    effect = 'unknown';
  };
  try {
    return { ok: true, value: await step(begins) };
  } catch (error) {
    const fault = faultOf(error, doing, effect);
    if (fault === undefined) throw error;
    return { ok: false, fault };
  }
}
