import { EventEmitter } from 'node:events';

/** What one request was and what became of it; never holds a secret. */
export interface RequestLogEntry {
  readonly seq: number;
  /** When the request had been read, by the fleet's clock, in ISO 8601. */
  readonly at: string;
  readonly device: string;
  /** Operation or action, such as `do-backup` or `DomainQuiesce`; `unreadable` when it could not be read. */
  readonly operation: string;
  readonly class?: string;
  /** Domain the request is about; several are joined by commas. */
  readonly domain?: string;
  readonly name?: string;
  readonly persisted?: boolean;
  /** `ok`, a failure the appliance answered, the kind of an ordered fault, or `client-gone`. */
  readonly outcome: string;
  /** HTTP status; 0 when no answer was sent. */
  readonly status: number;
  readonly durationMs: number;
  /** Size and SHA-256 (hex) of the decoded bytes handed over by do-backup and get-file. */
  readonly servedBytes?: number;
  readonly servedSha256?: string;
}

/** An entry before the log has numbered it. */
export type RequestRecord = Omit<RequestLogEntry, 'seq'>;

/** A request that has arrived and has not been worked on yet. */
export interface Arrival {
  readonly device: string;
  readonly operation: string;
  readonly domain?: string;
}

/** The events of a fleet. */
export interface FleetEvents {
  /** A request has arrived and been read. */
  arrival: [Arrival];
  /** A request has come to its end, whatever it was. */
  request: [RequestLogEntry];
}

/** All requests the fleet has received, numbered from 1 in the order of their ends. */
export class RequestLog {
  readonly events = new EventEmitter<FleetEvents>();
  readonly #entries: RequestLogEntry[] = [];

  /** Tells those who wait that a request has arrived. */
  announce(arrival: Arrival): void {
    this.events.emit('arrival', arrival);
  }

  /** Appends an entry and tells those who wait for it. */
  append(record: RequestRecord): void {
    const entry = { seq: this.#entries.length + 1, ...record };
    this.#entries.push(entry);
    this.events.emit('request', entry);
  }

  /** The entries with a greater number than the given one. */
  since(seq: number): readonly RequestLogEntry[] {
    return this.#entries.slice(Math.max(0, seq));
  }
}
