import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import type { Cluster } from './begin-cluster.ts';
import type { Point } from './find-points.ts';
import type { FactHolds } from './hold-facts.ts';
import { gatePath } from './kinds-of-tasks.ts';
import { listStore } from './list-store.ts';

/** A point that a device is held at, once `isReached` has said so. */
export type HeldPoint = { isReached(): Promise<boolean>; release(): void };

/** Has everything of a device stand still at a point as soon as it gets there. */
export async function holdPoint(
  cluster: Cluster,
  holds: FactHolds,
  device: string,
  point: Point,
): Promise<HeldPoint> {
  const { hold } = point;
  switch (hold.by) {
    case 'fact': {
      const id = await holds.hold(device, hold.program, hold.seq);
      return { isReached: async () => (await holds.reached()).has(id), release: () => undefined };
    }
    case 'request':
      return holdRequest(cluster, device, hold);
    case 'script':
      return holdScript(gatePath(cluster.room, device, hold.moment));
  }
}

type RequestHold = Extract<Point['hold'], { by: 'request' }>;

/** A reply is withheld by sending its first byte a minute later; half-way is a reply that comes in small drops. */
const paceOf = {
  arrived: { kind: 'stall' },
  answered: { kind: 'trickle', bytes: 1, everyMs: 60_000 },
  'half-way': { kind: 'trickle', bytes: 64, everyMs: 150 },
} as const;

function holdRequest(cluster: Cluster, device: string, hold: RequestHold): HeldPoint {
  const { operation, skip, moment } = hold;
  const handle = cluster.fleet.device(device);
  const ofClass = hold.class === undefined ? {} : { class: hold.class };
  handle.orderFault({ ...paceOf[moment], operation, skip, ...ofClass });
  return {
    async isReached() {
      if (handle.view().openFaults.length > 0) return false;
      return moment !== 'half-way' || hasIncoming(cluster, device);
    },
    release: () => handle.clearFaults(),
  };
}

async function hasIncoming(cluster: Cluster, device: string): Promise<boolean> {
  const tasks = await cluster.query<{ id: string }>('select id from task where device = $1', [device]);
  const { incoming } = listStore(cluster.room.store);
  return tasks.some(({ id }) => incoming.some((path) => path.startsWith(`${id}/`)));
}

/** The pipe has a reader once the script has come to it; the script goes on when the pipe is closed. */
function holdScript(path: string): HeldPoint {
  execFileSync('mkfifo', [path]);
  let pipe: number | undefined;
  return {
    async isReached() {
      try {
        pipe ??= openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENXIO') return false;
        throw error;
      }
    },
    release() {
      if (pipe !== undefined) closeSync(pipe);
      rmSync(path, { force: true });
    },
  };
}
