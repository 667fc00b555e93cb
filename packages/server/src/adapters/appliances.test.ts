import { Secret } from '@stillpoint/datapower';
import { type Fleet, startFleet } from '@stillpoint/simulator';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Appliances } from './appliances.ts';
import { LiveFleet } from './live-fleet.ts';

let fleet: Fleet;
let appliances: Appliances;
let mayAct: boolean;
let arrivals: number;
/** Called while the address of a device is looked up. */
let onLookUp: () => void;

beforeEach(async () => {
  fleet = await startFleet({ devices: [{ name: 'QA1', domains: [{ name: 'default' }, { name: 'A' }] }] });
  const [device] = fleet.devices;
  if (device === undefined) throw new Error('the fleet is empty');
  const { host, port, certificateSha256 } = device;
  const tls = { kind: 'pin', sha256: certificateSha256 } as const;
  const address = { host, port, username: 'admin', password: new Secret('admin-password'), tls };
  mayAct = true;
  arrivals = 0;
  onLookUp = () => undefined;
  fleet.events.on('arrival', () => {
    arrivals += 1;
  });
  const addressOf = async () => {
    onLookUp();
    return { ok: true, value: address } as const;
  };
  appliances = new Appliances({ addressOf }, () => mayAct);
});

afterEach(async () => {
  await appliances.close();
  await fleet.stop();
});

const unquiesceAll = () => appliances.talkTo('QA1').act((appliance, call) => appliance.unquiesceDevice(call));

test('a node that loses its permission while it looks up an address sends nothing', async () => {
  onLookUp = () => {
    mayAct = false;
  };
  const fault = { code: 'SENDING_NOT_ALLOWED', effect: 'none' };
  expect(await unquiesceAll()).toMatchObject({ ok: false, fault });
  expect(arrivals).toBe(0);
});

test('a node that may not act uses no connection that is open already, and goes on when it may again', async () => {
  expect((await unquiesceAll()).ok).toBe(true);
  mayAct = false;
  expect((await unquiesceAll()).ok).toBe(false);
  expect(arrivals).toBe(1);
  mayAct = true;
  expect((await unquiesceAll()).ok).toBe(true);
  expect(arrivals).toBe(2);
});

test('an inventory that is given up asks the device nothing more', async () => {
  const live = new LiveFleet(appliances, () => 0);
  const abort = new AbortController();
  const wants = (): boolean => {
    abort.abort();
    return true;
  };
  expect(await live.readInventory('QA1', wants, abort.signal)).toMatchObject({ isAvailable: false });
  expect(arrivals).toBe(1);
  expect(await live.findOut('QA1', abort.signal)).toMatchObject({ firmware: { ok: false } });
  expect(arrivals).toBe(1);
});
