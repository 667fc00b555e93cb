import { type Appliance, openAppliance, Secret } from '@stillpoint/datapower';
import { startFleet } from '@stillpoint/simulator';
import { Dice } from '../../simulation/testing/dice.ts';
import { Kernel } from '../../simulation/testing/kernel.ts';
import { pretendAppliance } from '../../simulation/testing/pretend-appliance.ts';
import { PretendDevice } from '../../simulation/testing/pretend-device.ts';
import { calm, PretendNetwork, type Weather } from '../../simulation/testing/pretend-network.ts';
import { Trail } from '../../simulation/testing/trail.ts';

/** What can be done to the next requests, on either side. */
export type Trouble = 'down' | 'replyLost' | 'silent' | 'unreadable' | 'refused';

/** One device with the domains D1 (with unsaved changes) and D2, and a way to wait for answers. */
export interface ApplianceGround {
  readonly appliance: Appliance;
  maySend: boolean;
  trouble(trouble: Trouble | null): void;
  /** The answer to a question, when it has come. */
  answer<Value>(question: Promise<Value>): Promise<Value>;
  close(): Promise<void>;
}

const domains = [
  { name: 'D1', isSaveNeeded: true },
  { name: 'D2', isSaveNeeded: false },
];

/** The client over HTTPS, and the pretend fleet. */
export async function realGround(): Promise<ApplianceGround> {
  const fleet = await startFleet({
    devices: [
      {
        name: 'dev-1',
        quiesce: { quiesceMs: 0, unquiesceMs: 0 },
        domains: domains.map(({ name, isSaveNeeded }) => ({ name, saveNeeded: isSaveNeeded })),
      },
    ],
  });
  const device = fleet.device('dev-1');
  const { host, port, certificateSha256 } = device.address;
  const ground = { maySend: true };
  const address = { host, port, username: 'admin', password: new Secret('admin-password') };
  const appliance = openAppliance(
    { ...address, tls: { kind: 'pin', sha256: certificateSha256 } },
    { maySend: () => ground.maySend },
  );
  const kinds = {
    replyLost: 'lost-reply',
    silent: 'stall',
    unreadable: 'not-xml',
    refused: 'error-log',
  } as const;
  return Object.assign(ground, {
    appliance,
    trouble(trouble: Trouble | null) {
      device.change({ isDown: trouble === 'down' });
      if (trouble !== null && trouble !== 'down') device.orderFault({ kind: kinds[trouble] });
    },
    answer: <Value>(question: Promise<Value>) => question,
    async close() {
      await appliance.close();
      await fleet.stop();
    },
  });
}

/** The double, in virtual time. */
export async function pretendGround(): Promise<ApplianceGround> {
  const kernel = new Kernel(1, Date.UTC(2026, 2, 29));
  const now = (): number => kernel.now;
  const own = { quiesceMs: 0, unquiesceMs: 0, secureBackupMs: 0, isInBackupMode: true };
  const device = new PretendDevice(
    { name: 'dev-1', serial: '0000001', certificate: 'dr-cert', domains, ...own },
    now,
  );
  let weather: Weather = calm;
  const network = new PretendNetwork({
    kernel,
    dice: new Dice(1, 'network'),
    trail: new Trail(now, false),
    devices: new Map([[device.name, device]]),
    weather: () => weather,
    settleMs: () => 10_000,
    onSent: () => () => {},
  });
  const asker = {
    name: 'node-1',
    enter: (run: () => void) => run(),
    maySend: (): boolean => ground.maySend,
    isCutOff: () => false,
  };
  const ground: ApplianceGround = {
    appliance: pretendAppliance(network.wire(asker, device)),
    maySend: true,
    trouble(trouble) {
      device.isAway = trouble === 'down';
      weather = trouble === null || trouble === 'down' ? calm : { ...calm, fair: 0, [trouble]: 1 };
    },
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
  return ground;
}
