import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Appliance, type ApplianceAddress, openAppliance, Secret } from '@stillpoint/datapower';
import { type MoverOrder, type MoverPool, openMoverPool } from '@stillpoint/server';
import { startFleet } from '@stillpoint/simulator';
import { Dice } from '../../simulation/testing/dice.ts';
import { Kernel } from '../../simulation/testing/kernel.ts';
import { pretendAppliance } from '../../simulation/testing/pretend-appliance.ts';
import { PretendDevice } from '../../simulation/testing/pretend-device.ts';
import { PretendMovers } from '../../simulation/testing/pretend-movers.ts';
import { calm, PretendNetwork } from '../../simulation/testing/pretend-network.ts';
import { PretendStore } from '../../simulation/testing/pretend-store.ts';
import { ProcessBoundary } from '../../simulation/testing/process-boundary.ts';
import { Trail } from '../../simulation/testing/trail.ts';

/** Movers, a store that was set up, and the device dev-1 with the domains D1 and D2. */
export interface MoverGround {
  readonly order: MoverPool['order'];
  readonly store: MoverOrder<'checkStore'>['store'];
  readonly address: ApplianceAddress;
  /** For what a task does on the device itself. */
  readonly appliance: Appliance;
  answer<Value>(question: Promise<Value>): Promise<Value>;
  close(): Promise<void>;
}

/** Real movers, a folder, and the pretend fleet over HTTPS. */
export async function realMovers(): Promise<MoverGround> {
  const root = await mkdtemp(join(tmpdir(), 'stillpoint-movers-'));
  const fleet = await startFleet({
    devices: [{ name: 'dev-1', domains: [{ name: 'D1' }, { name: 'D2' }] }],
  });
  const pool = openMoverPool({ size: 2 });
  const { host, port, certificateSha256: sha256 } = fleet.device('dev-1').address;
  const password = new Secret('admin-password');
  const address = { host, port, username: 'admin', password, tls: { kind: 'pin' as const, sha256 } };
  const appliance = openAppliance(address);
  const location = { root, requiresRemoteMount: false };
  const marker = await pool.order({ kind: 'initStore', location }, { deadlineMs: 30_000 });
  if (!marker.ok) throw new Error(marker.fault.detail);
  return {
    order: pool.order,
    store: { ...location, expectedStoreId: marker.value.storeId },
    address,
    appliance,
    answer: (question) => question,
    async close() {
      await appliance.close();
      await pool.close();
      await fleet.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The doubles, in virtual time. */
export async function pretendMovers(): Promise<MoverGround> {
  const kernel = new Kernel(1, Date.UTC(2026, 2, 29));
  const dice = new Dice(1, 'movers');
  const trail = new Trail(() => kernel.now, false);
  const own = { quiesceMs: 0, unquiesceMs: 0, secureBackupMs: 0, isInBackupMode: true };
  const domains = ['D1', 'D2'].map((name) => ({ name, isSaveNeeded: false }));
  const device = new PretendDevice(
    { name: 'dev-1', serial: '0000001', certificate: 'dr-cert', domains, ...own },
    () => kernel.now,
  );
  const network = new PretendNetwork({
    ...{ kernel, dice, trail, devices: new Map([[device.name, device]]) },
    weather: () => calm,
    settleMs: () => 10_000,
    onSent: () => () => {},
  });
  const isCutOff = (): boolean => false;
  const asker = { name: 'node-1', enter: (run: () => void) => run(), maySend: () => true, isCutOff };
  const appliance = pretendAppliance(network.wire(asker, device));
  const movers = new PretendMovers({
    ...{ kernel, dice, trail, nodeName: 'node-1' },
    boundary: new ProcessBoundary(kernel, 0),
    store: new PretendStore(),
    weather: () => ({ moverDied: 0, ioError: 0, cutOff: 0 }),
    mayAct: () => true,
    applianceAt: () => appliance,
  });
  return {
    order: movers.order,
    store: { root: '/store', requiresRemoteMount: true, expectedStoreId: 'store' },
    address: {
      ...{ host: 'dev-1', port: 5550, username: 'admin', password: new Secret('of no use here') },
      tls: { kind: 'insecure' },
    },
    appliance,
    async answer(question) {
      let isOver = false;
      const over = question.finally(() => {
        isOver = true;
      });
      await kernel.run(
        Number.POSITIVE_INFINITY,
        () => isOver,
        () => {},
      );
      return over;
    },
    async close() {},
  };
}
