import type { DeviceHandle, Fleet, RequestLogEntry } from '../../../packages/simulator/src/index.ts';

/** Requests that only look at a device and change nothing on it. */
const looks = new Set(['get-status', 'get-config', 'get-filestore']);

/** The fleet of one test, and what was sent to it. */
export class PretendFleet {
  readonly #fleet: Fleet;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  device(name: string): DeviceHandle {
    return this.#fleet.device(name);
  }

  /** Every request that a device has answered, as the simulator logged it. */
  requests(device: string): RequestLogEntry[] {
    return this.#fleet.log.filter((entry) => entry.device === device);
  }

  /** What was sent to a device besides looks, e.g. `DomainQuiesce A`, `do-backup A persisted`. */
  sentTo(device: string): string[] {
    return this.requests(device)
      .filter(({ operation }) => !looks.has(operation))
      .map(textOf);
  }

  /** Resolves when a request of an operation has arrived at a device, before it is worked on. */
  arrivalOf(operation: string, device: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (arrival: { device: string; operation: string }): void => {
        if (arrival.device !== device || arrival.operation !== operation) return;
        this.#fleet.events.off('arrival', look);
        resolve();
      };
      this.#fleet.events.on('arrival', look);
    });
  }

  /** The next request of an operation that a device has answered. */
  answerOf(operation: string, device: string): Promise<RequestLogEntry> {
    return this.#fleet.nextRequest((entry) => entry.device === device && entry.operation === operation);
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }
}

function textOf({ operation, domain, persisted, name }: RequestLogEntry): string {
  if (operation === 'do-backup') {
    return `${operation} ${domain} ${persisted === true ? 'persisted' : 'nonpersisted'}`;
  }
  if (operation === 'DomainQuiesce' || operation === 'DomainUnquiesce') return `${operation} ${domain}`;
  // The folder of a task on a device bears the id of the task.
  const file = name?.replace(/stillpoint-[0-9a-f-]+/, 'TASK');
  return file === undefined ? operation : `${operation} ${file}`;
}
