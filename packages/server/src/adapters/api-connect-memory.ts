import type { Clock } from '../app/ports.ts';

/** How long an answer is gone by. */
const REMEMBERED_MS = 10 * 60_000;

/** More domains of one device are asked for again each time. */
const MOST_DOMAINS_OF_A_DEVICE = 1_000;

type Answer = { readonly isApiConnect: boolean; readonly at: number };

/**
 * Which domains were API Connect's when they were last asked, for ten minutes, in the memory of this node. It is kept by
 * the connection to a device: that is another one as soon as the device has another address, login or certificate, on
 * whichever node that was changed.
 */
export class ApiConnectMemory {
  readonly #now: Clock;
  readonly #byConnection = new WeakMap<object, Map<string, Answer>>();

  constructor(now: Clock) {
    this.#now = now;
  }

  /** Undefined for a domain of which nothing is known any more. */
  recall(connection: object, domain: string): boolean | undefined {
    const answer = this.#byConnection.get(connection)?.get(domain);
    if (answer === undefined) return undefined;
    const age = this.#now() - answer.at;
    // By a clock that was put back the answer would hold for longer.
    return age >= 0 && age < REMEMBERED_MS ? answer.isApiConnect : undefined;
  }

  remember(connection: object, domain: string, isApiConnect: boolean): void {
    const known = this.#byConnection.get(connection) ?? new Map<string, Answer>();
    this.#byConnection.set(connection, known);
    if (known.has(domain) || known.size < MOST_DOMAINS_OF_A_DEVICE)
      known.set(domain, { isApiConnect, at: this.#now() });
  }

  /** Forgets domains that the device no longer has: one of the same name that comes later is another one. */
  keepOnly(connection: object, domains: ReadonlySet<string>): void {
    const known = this.#byConnection.get(connection);
    for (const domain of known?.keys() ?? []) if (!domains.has(domain)) known?.delete(domain);
  }
}
