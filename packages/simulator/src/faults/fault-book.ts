import type { FaultKind, FaultOrder } from './fault-order.ts';

/** What a fault order is compared with. */
export interface FaultTarget {
  readonly operation: string;
  readonly class: string | undefined;
  readonly domains: readonly string[];
}

const EXPORTS = ['do-backup'];
const FILES = ['do-backup', 'get-file'];
const SECURE_BACKUP = ['SecureBackup'];
const DOWN = ['QuiesceDP', 'DomainQuiesce'];

/** Kinds that mean something for certain operations only; all others apply to any. */
const APPLIES_TO: Partial<Record<FaultKind, readonly string[]>> = {
  'empty-file': FILES,
  'bad-base64': FILES,
  'truncated-zip': EXPORTS,
  'bad-crc': EXPORTS,
  'no-export-xml': EXPORTS,
  'other-domain': EXPORTS,
  'wrong-inner-hash': EXPORTS,
  'manifest-missing': SECURE_BACKUP,
  'manifest-empty': SECURE_BACKUP,
  'manifest-extra': SECURE_BACKUP,
  'manifest-wrong-hash': SECURE_BACKUP,
  'manifest-wrong-size': SECURE_BACKUP,
  'manifest-unknown-algorithm': SECURE_BACKUP,
  'quiesce-never': DOWN,
  'quiesce-error': DOWN,
  'unquiesce-never': ['UnquiesceDP', 'DomainUnquiesce'],
};

interface OpenOrder {
  readonly order: FaultOrder;
  skipsLeft: number;
  timesLeft: number;
}

/** The fault orders of one device that are still open, first come first served. */
export class FaultBook {
  #open: OpenOrder[] = [];

  /** Adds an order behind those already open. */
  order(order: FaultOrder): void {
    const timesLeft = order.times === -1 ? Number.POSITIVE_INFINITY : order.times;
    this.#open.push({ order, skipsLeft: order.skip, timesLeft });
  }

  /** Withdraws all orders. */
  clear(): void {
    this.#open = [];
  }

  /** The orders still open. */
  list(): FaultOrder[] {
    return this.#open.map(({ order }) => order);
  }

  /** Takes the fault that strikes a request, if any; an order that lets it pass counts it as skipped. */
  take(target: FaultTarget): FaultOrder | undefined {
    for (const open of this.#open) {
      if (!matches(open.order, target)) {
        continue;
      }
      if (open.skipsLeft > 0) {
        open.skipsLeft -= 1;
        continue;
      }
      open.timesLeft -= 1;
      if (open.timesLeft <= 0) {
        this.#open = this.#open.filter((one) => one !== open);
      }
      return open.order;
    }
    return undefined;
  }
}

function matches(order: FaultOrder, target: FaultTarget): boolean {
  return (
    (APPLIES_TO[order.kind]?.includes(target.operation) ?? true) &&
    (order.operation === undefined || order.operation === target.operation) &&
    (order.class === undefined || order.class === target.class) &&
    (order.domain === undefined || target.domains.includes(order.domain))
  );
}
