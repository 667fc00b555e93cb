import { vi } from 'vitest';
import type { ApplyDocumentInput, Guard, Run, Task } from '../../../packages/contract/src/index.ts';
import {
  type Arrival,
  type DeviceDescriptionInput,
  type DeviceHandle,
  type Fleet,
  type RequestLogEntry,
  startFleet,
} from '../../../packages/simulator/src/index.ts';
import { good } from './good.ts';
import { makeRoom, type Room } from './make-room.ts';
import { type ServerProcess, startServerProcess } from './start-server-process.ts';

export { good } from './good.ts';

/** The device of a scene; it has the domain `A`, besides what a test asks for. */
const DEVICE = 'dp1';
const DEADLINE_MS = 20_000;
const PASSWORD = 'a password nobody may see';

/** One pretend device, a store, and a server in a process of its own that a test may end and start again. */
export class Scene implements AsyncDisposable {
  readonly room: Room;
  readonly fleet: Fleet;
  server: ServerProcess;

  constructor(room: Room, fleet: Fleet, server: ServerProcess) {
    this.room = room;
    this.fleet = fleet;
    this.server = server;
  }

  get device(): DeviceHandle {
    return this.fleet.device(DEVICE);
  }

  /** Resolves when the device is about to work on the next request of the kind, before it does. */
  nextArrival(operation: string): Promise<void> {
    const { events } = this.fleet;
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        events.off('arrival', look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (arrival: Arrival): void => {
        if (arrival.operation === operation) settle();
      };
      const timer = setTimeout(() => settle(new Error(`no ${operation} arrived`)), DEADLINE_MS);
      events.on('arrival', look);
    });
  }

  /** The requests of the kind that came after an instant (milliseconds since the epoch), oldest first. */
  requestsSince(at: number, operation: string): RequestLogEntry[] {
    return this.fleet.log.filter((entry) => entry.operation === operation && Date.parse(entry.at) >= at);
  }

  async startRun(plan: string): Promise<string> {
    return good(await this.server.client.runPlan({ params: { name: plan }, body: {} })).id;
  }

  async run(id: string): Promise<Run> {
    return good(await this.server.client.getRun({ params: { id } }));
  }

  async tasks(id: string): Promise<Task[]> {
    return good(await this.server.client.listTasks({ params: { id }, query: {} })).items;
  }

  async guards(): Promise<Guard[]> {
    return good(await this.server.client.listGuards()).items;
  }

  /** Looks again and again until the look does not throw; what it says at last comes with the log of the server. */
  async until<Value>(look: () => Value | Promise<Value>): Promise<Value> {
    try {
      return await vi.waitFor(look, { timeout: DEADLINE_MS, interval: 20 });
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${this.server.log()}`);
    }
  }

  /** Starts a server on the same data directory; the old one must have ended. */
  async restart(): Promise<void> {
    this.server = await startServerProcess(this.room);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.room.dispose();
    await this.fleet.stop();
  }
}

/** Begins a scene: the device as described, and the plans `export` and `secure` for it, both with quiesce. */
export async function beginScene(
  description: Omit<DeviceDescriptionInput, 'name' | 'password'> = {},
): Promise<Scene> {
  const fleet = await startFleet({
    devices: [{ domains: [{ name: 'A' }], ...description, name: DEVICE, password: PASSWORD }],
  });
  const room = makeRoom();
  try {
    const scene = new Scene(room, fleet, await startServerProcess(room));
    const { client } = scene.server;
    good(await client.applyDocument({ body: documentFor(scene), query: {} }));
    good(await client.initStore());
    return scene;
  } catch (error) {
    await room.dispose();
    await fleet.stop();
    throw error;
  }
}

function documentFor({ device, room }: Scene): ApplyDocumentInput {
  const { host, port, certificateSha256 } = device.address;
  return {
    parameters: {
      'store.path': room.store,
      'store.requireRemoteMount': false,
      'store.minFreePercent': 0,
      'quiesce.pollMs': 100,
      'quiesce.settleSeconds': 3,
    },
    devices: [
      {
        name: DEVICE,
        host,
        somaPort: port,
        username: 'admin',
        password: PASSWORD,

        tls: { pin: certificateSha256 },
      },
    ],
    plans: [
      {
        name: 'export',
        window: 'none',
        activities: [{ exportDomain: { devices: DEVICE, domains: 'A', quiesce: true } }],
      },
      {
        name: 'secure',
        window: 'none',
        activities: [{ secureBackup: { devices: DEVICE, certificate: 'dr-cert', quiesce: true } }],
      },
    ],
  };
}
