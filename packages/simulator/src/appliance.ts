import type { Content } from './content/content.ts';
import { FileStore, filesUnder } from './content/file-store.ts';
import { seededContent } from './content/seeded-content.ts';
import type { Spool } from './content/spool.ts';
import { type DeviceTime, deviceTime } from './device-clock.ts';
import {
  type DeviceCommand,
  type DeviceState,
  type DeviceStep,
  freshDeviceState,
  stepDevice,
} from './device-state.ts';
import { FaultBook } from './faults/fault-book.ts';
import { firmwareMajor } from './firmware.ts';
import type { DeviceDescription, DomainDescription } from './fleet/fleet-description.ts';

const MEGABYTE = 1024 * 1024;

/** Settings of an appliance that somebody can change while it runs. */
export interface ApplianceSettings {
  isDown: boolean;
  latencyMs: number;
  password: string;
  backupMode: 'secure' | 'normal';
  freeTemporaryMb: number;
}

/** One pretend appliance: its description, what has changed since, its files and its open faults. */
export class Appliance {
  readonly description: DeviceDescription;
  readonly settings: ApplianceSettings;
  readonly faults = new FaultBook();
  readonly spool: Spool;
  /** Packages too large to be built anew for each request. */
  readonly largePackages = new Map<string, Promise<Content>>();
  readonly firmwareMajor: number;
  readonly #clock: () => number;
  readonly #files = new Map<string, FileStore>();
  #state: DeviceState;

  constructor(description: DeviceDescription, spool: Spool, clock: () => number) {
    const { isDown, latencyMs, password, backupMode, freeTemporaryMb } = description;
    this.description = description;
    this.settings = { isDown, latencyMs, password, backupMode, freeTemporaryMb };
    this.spool = spool;
    this.firmwareMajor = firmwareMajor(description.firmware.version);
    this.#clock = clock;
    this.#state = freshDeviceState(
      description.domains.map(({ name, saveNeeded }) => ({ name, isSaveNeeded: saveNeeded })),
      this.now(),
    );
    for (const order of description.faults) {
      this.faults.order(order);
    }
  }

  /** Milliseconds since the epoch by the appliance's own clock. */
  now(): number {
    return this.#clock() + this.description.clockOffsetMs;
  }

  /** The appliance's own time as it writes it. */
  time(at: number = this.now()): DeviceTime {
    return deviceTime(at, this.description.timezone);
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** Whether connections are destroyed at once, by setting or because of a reboot. */
  get isUnreachable(): boolean {
    return this.settings.isDown || this.now() < this.#state.downUntilAt;
  }

  /** Tells the appliance to do something; a refusal leaves it as it was. */
  step(command: DeviceCommand): DeviceStep {
    const step = stepDevice(this.#state, command, this.now());
    if (step.ok) {
      this.#state = step.state;
    }
    return step;
  }

  /** The description of a domain of this appliance. */
  domain(name: string): DomainDescription | undefined {
    return this.description.domains.find((domain) => domain.name === name);
  }

  /** The files of a domain, with the generated files of local: in place. */
  files(domain: string): FileStore {
    let store = this.#files.get(domain);
    if (store === undefined) {
      store = new FileStore();
      this.#fillLocal(store, domain);
      this.#files.set(domain, store);
    }
    return store;
  }

  /** Free space in temporary storage: what the settings say, less what lies in the virtual files. */
  freeTemporaryBytes(): number {
    const used = [...this.#files.values()]
      .flatMap((store) => filesUnder(store.root('temporary:')))
      .reduce((sum, file) => sum + file.content.sizeBytes, 0);
    return Math.max(0, this.settings.freeTemporaryMb * MEGABYTE - used);
  }

  #fillLocal(store: FileStore, name: string): void {
    const { files = 0, sizeBytes = 0 } = this.domain(name) ?? {};
    const share = files === 0 ? 0 : Math.floor(sizeBytes / files);
    for (let number = 1; number <= files; number += 1) {
      const size = number === files ? sizeBytes - share * (files - 1) : share;
      const fileName = `file-${String(number).padStart(4, '0')}.bin`;
      const content = seededContent(`${this.description.name}/${name}/${fileName}`, size);
      store.putFile({ location: 'local:', segments: [fileName] }, content, 0);
    }
    store.revision = 0;
  }
}
