import type { Parameters, Plan } from '@stillpoint/core';
import type { Records } from '@stillpoint/server';
import {
  MemoryDatabase,
  type MemoryTransaction,
} from '../../../packages/engine/src/testing/memory-database.ts';
import { MemoryJournal } from '../../../packages/engine/src/testing/memory-journal.ts';
import { MemoryQueue } from '../../../packages/engine/src/testing/memory-queue.ts';
import { RememberedDefinitions } from '../../../packages/server/src/testing/remembered-definitions.ts';
import { rememberedRecords } from '../../../packages/server/src/testing/remembered-records.ts';
import {
  type RememberedGuard,
  RememberedRows,
} from '../../../packages/server/src/testing/remembered-rows.ts';
import { sampleDevice } from '../../../packages/server/src/testing/sample-device.ts';
import { DatabaseState } from './database-link.ts';
import { Dice } from './dice.ts';
import { FireWatch } from './fire-watch.ts';
import { Kernel } from './kernel.ts';
import { Holdings } from './observed-queue.ts';
import { PretendDevice, type PretendDeviceOptions } from './pretend-device.ts';
import type { DiskWeather } from './pretend-movers.ts';
import { type Asker, calm, PretendNetwork, type Weather } from './pretend-network.ts';
import { PretendStore } from './pretend-store.ts';
import { Trail } from './trail.ts';
import type { WireRequest } from './wire.ts';

/** What a world is made from. */
export type WorldOptions = {
  readonly seed: number;
  /** Milliseconds since the epoch. */
  readonly startAt: number;
  readonly devices: readonly PretendDeviceOptions[];
  readonly parameters: Partial<Parameters>;
  readonly hostTimezone: string;
  readonly keepsTrail: boolean;
};

/** Who looks on at what leaves for a device, and hears when it is over. */
export type SendingObserver = (
  asker: Asker,
  device: PretendDevice,
  request: WireRequest<unknown>,
) => () => void;

/** Everything that is not a node: time, devices, network, disk and database, and the list of what happened. */
export class World {
  readonly kernel: Kernel;
  readonly trail: Trail;
  readonly devices: ReadonlyMap<string, PretendDevice>;
  readonly network: PretendNetwork;
  readonly store = new PretendStore();
  readonly database = new DatabaseState();
  readonly journal: MemoryJournal;
  readonly queue: MemoryQueue;
  /** All that the programs have recorded. */
  readonly rows = new RememberedRows();
  readonly fires: FireWatch;
  readonly records: Records<MemoryTransaction>;
  readonly holdings = new Holdings();
  readonly definitions: RememberedDefinitions;
  readonly hostTimezone: string;
  weather: Weather = calm;
  diskWeather: DiskWeather = { moverDied: 0, ioError: 0, cutOff: 0 };
  /** How often an operator's script fails. */
  scriptFailure = 0;
  /** Told of every request that leaves. */
  sendingObserver: SendingObserver = () => () => {};
  readonly #seed: number;
  #id = 0;

  constructor(options: WorldOptions) {
    const { seed, startAt } = options;
    this.#seed = seed;
    this.hostTimezone = options.hostTimezone;
    this.kernel = new Kernel(seed, startAt);
    this.trail = new Trail(() => this.kernel.now, options.keepsTrail);
    const now = (): number => this.kernel.now;
    this.devices = new Map(options.devices.map((device) => [device.name, new PretendDevice(device, now)]));
    const database = new MemoryDatabase();
    this.definitions = new RememberedDefinitions({
      parameters: options.parameters,
      devices: options.devices.map(({ name }) => sampleDevice({ name, host: name })),
      database,
    });
    this.journal = new MemoryJournal(database);
    this.queue = new MemoryQueue(now);
    this.fires = new FireWatch(this.rows);
    const records = rememberedRecords(this.rows, this.journal, this.definitions, now);
    this.records = this.fires.watch(records);
    this.network = new PretendNetwork({
      kernel: this.kernel,
      dice: this.dice('network'),
      trail: this.trail,
      devices: this.devices,
      weather: () => this.weather,
      settleMs: () => this.settleMs,
      onSent: (asker, device, request) => this.sendingObserver(asker, device, request),
    });
    this.settleMs = (options.parameters['quiesce.settleSeconds'] ?? 60) * 1000;
  }

  /** The time in which a lost request may land; every node is told the same. */
  settleMs: number;

  get openGuards(): readonly RememberedGuard[] {
    return this.rows.guards.filter(({ releasedAt }) => releasedAt === null);
  }

  get plans(): readonly Plan[] {
    return [...this.definitions.planRows.values()].map(({ plan }) => plan);
  }

  /** Keeps plans, new or changed; the planners work out their next fires. */
  keepPlans(plans: readonly Plan[]): void {
    void this.definitions.save({ parameters: {}, devices: [], plans: [...plans] });
  }

  dice(name: string): Dice {
    return new Dice(this.#seed, name);
  }

  /** Identifiers that sort in the order in which they were made. */
  readonly newId = (): string => {
    this.#id += 1;
    return `id-${String(this.#id).padStart(6, '0')}`;
  };
}
