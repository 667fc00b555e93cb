import { randomBytes } from 'node:crypto';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceChange, DeviceRecord } from '../app/ports.ts';
import { emptyTables } from '../testing/empty-tables.ts';
import { sampleDevice } from '../testing/sample-device.ts';
import { samplePlan } from '../testing/sample-plan.ts';
import { StoredDefinitions } from './definitions.ts';
import type { Tables } from './tables.ts';

const key = randomBytes(32);
const nothing = { parameters: {}, devices: [], plans: [] };
const PASSWORD = 'pässword-planted "1"';

let database: Database<Tables>;
let definitions: StoredDefinitions;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(async () => {
  await emptyTables(database.kysely);
  definitions = new StoredDefinitions(database.kysely, key);
});

function shown(device: DeviceChange): DeviceRecord {
  const { password: _password, ...record } = device;
  return record;
}

/** Every row of a table as text, the way a content shows it. */
async function contentOf(table: keyof Tables): Promise<string> {
  const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t`.execute(
    database.kysely,
  );
  return rows.map(({ row }) => row).join('\n');
}

describe('what is defined', () => {
  it('comes back as it was saved, devices and plans by name', async () => {
    const devices = [
      sampleDevice({ name: 'QA2', tls: { ca: '-----BEGIN CERTIFICATE-----\n' }, tags: { env: 'QA' } }),
      sampleDevice({ name: 'QA1', restPort: 5554, isEnabled: false }),
    ];
    const plans = [samplePlan({ name: 'weekly', window: ['22:00-06:00'] }), samplePlan({ name: 'nightly' })];
    const parameters = { 'store.path': '/mnt/backups', 'devices.parallel': 4, 'backups.enabled': false };
    await definitions.save({ parameters, devices, plans });
    expect(await definitions.parameterValues()).toEqual(parameters);
    expect(await definitions.devices()).toEqual(devices.map(shown).toReversed());
    expect(await definitions.plans()).toEqual(plans.toReversed());
  });

  it('is replaced by what is saved under the same name, and the rest stays', async () => {
    await definitions.save({
      parameters: { 'devices.parallel': 4, timezone: 'UTC' },
      devices: [sampleDevice(), sampleDevice({ name: 'QA2' })],
      plans: [samplePlan(), samplePlan({ name: 'weekly' })],
    });
    const device = sampleDevice({ host: 'new.example.com', password: null });
    const plan = samplePlan({ description: 'changed' });
    await definitions.save({ parameters: { 'devices.parallel': 8 }, devices: [device], plans: [plan] });
    expect(await definitions.parameterValues()).toEqual({ 'devices.parallel': 8, timezone: 'UTC' });
    expect((await definitions.devices()).map(({ host }) => host)).toEqual([
      'new.example.com',
      'qa1.example.com',
    ]);
    expect((await definitions.plans()).map(({ description }) => description)).toEqual(['changed', '']);
  });

  it('is saved as a whole or not at all', async () => {
    await definitions.save({ ...nothing, parameters: { 'devices.parallel': 4 } });
    const saving = definitions.save({
      parameters: { 'devices.parallel': 8, timezone: 'UTC' },
      devices: [sampleDevice(), sampleDevice({ name: 'QA2', password: null })],
      plans: [samplePlan()],
    });
    await expect(saving).rejects.toThrow('The new device QA2 came without a password.');
    expect(await definitions.parameterValues()).toEqual({ 'devices.parallel': 4 });
    expect(await definitions.devices()).toEqual([]);
    expect(await definitions.plans()).toEqual([]);
  });

  it('keeps the id of a plan, which scripts are told, when the plan is changed', async () => {
    const idOf = () => database.kysely.selectFrom('plan').select('id').executeTakeFirst();
    await definitions.save({ ...nothing, plans: [samplePlan()] });
    const before = await idOf();
    await definitions.save({ ...nothing, plans: [samplePlan({ description: 'changed' })] });
    expect(await idOf()).toEqual(before);
  });

  it('has its next fire worked out anew when a plan or the zone of all plans changes', async () => {
    const plans = database.kysely.selectFrom('plan').select('is_planned').orderBy('name');
    const arePlanned = async () => (await plans.execute()).map(({ is_planned }) => is_planned);
    const plan = database.kysely.updateTable('plan').set({ is_planned: true });
    await definitions.save({ ...nothing, plans: [samplePlan(), samplePlan({ name: 'weekly' })] });
    expect(await arePlanned()).toEqual([false, false]);
    await plan.execute();
    await definitions.save({ ...nothing, plans: [samplePlan({ schedule: '0 0 2 * * ?' })] });
    expect(await arePlanned()).toEqual([false, true]);
    await plan.execute();
    await definitions.save({ ...nothing, parameters: { 'devices.parallel': 2 } });
    expect(await arePlanned()).toEqual([true, true]);
    await definitions.save({ ...nothing, parameters: { timezone: 'Asia/Tokyo' } });
    expect(await arePlanned()).toEqual([false, false]);
  });

  it('keeps the fire that may be due when the zone of all plans is set to what it was, or it has one of its own', async () => {
    const plans = database.kysely.selectFrom('plan').select('is_planned').orderBy('name');
    const arePlanned = async () => (await plans.execute()).map(({ is_planned }) => is_planned);
    const [own, shared] = [samplePlan({ name: 'own', timezone: 'UTC' }), samplePlan({ name: 'shared' })];
    await definitions.save({ ...nothing, parameters: { timezone: 'Asia/Tokyo' }, plans: [own, shared] });
    await database.kysely.updateTable('plan').set({ is_planned: true }).execute();
    await definitions.save({ ...nothing, parameters: { timezone: 'Asia/Tokyo' } });
    expect(await arePlanned()).toEqual([true, true]);
    await definitions.save({ ...nothing, parameters: { timezone: 'Europe/Zurich' } });
    expect(await arePlanned()).toEqual([true, false]);
  });
});

describe('the password of a device', () => {
  beforeEach(() => definitions.save({ ...nothing, devices: [sampleDevice({ password: PASSWORD })] }));

  it('is nowhere in the table, in no form that reads as it', async () => {
    const content = await contentOf('device');
    expect(content).toContain('qa1.example.com');
    for (const form of ['utf8', 'hex', 'base64'] as const) {
      const written = form === 'utf8' ? PASSWORD : Buffer.from(PASSWORD).toString(form);
      expect(content).not.toContain(written);
    }
    expect(content).not.toContain('planted');
    expect(JSON.stringify(await definitions.devices())).not.toContain('planted');
  });

  it('is told to nobody but the one who logs in, to whom it prints as [redacted]', async () => {
    const address = await definitions.addressOf('QA1');
    expect(address.ok && address.value.password.reveal()).toBe(PASSWORD);
    expect(JSON.stringify(address)).not.toContain('planted');
  });

  it('stays when a change brings none, and goes when it brings another', async () => {
    await definitions.save({ ...nothing, devices: [sampleDevice({ host: 'moved', password: null })] });
    expect(await definitions.hasPassword('QA1', PASSWORD)).toBe(true);
    await definitions.save({ ...nothing, devices: [sampleDevice({ password: 'another' })] });
    expect(await definitions.hasPassword('QA1', PASSWORD)).toBe(false);
    expect(await definitions.hasPassword('QA1', 'another')).toBe(true);
  });

  it('of a device that is not there equals none', async () => {
    expect(await definitions.hasPassword('QA9', PASSWORD)).toBe(false);
    expect(await definitions.hasPassword('QA9', '')).toBe(false);
  });

  it('does not open when its row was put in the place of another', async () => {
    await definitions.save({ ...nothing, devices: [sampleDevice({ name: 'QA2', password: 'another' })] });
    const other = database.kysely
      .selectFrom('device as o')
      .select('o.sealed_password')
      .where('o.name', '=', 'QA1');
    await database.kysely
      .updateTable('device')
      .set({ sealed_password: sql`${other}` })
      .where('name', '=', 'QA2')
      .execute();
    expect(await definitions.addressOf('QA2')).toMatchObject({ fault: { code: 'PASSWORD_NOT_READABLE' } });
  });

  it('does not open with another key', async () => {
    const stranger = new StoredDefinitions(database.kysely, randomBytes(32));
    expect(await stranger.addressOf('QA1')).toMatchObject({ fault: { code: 'PASSWORD_NOT_READABLE' } });
    expect(await stranger.hasPassword('QA1', PASSWORD)).toBe(false);
  });

  it('of a lost key is mended by applying the device with its password, and by nothing less', async () => {
    const stranger = new StoredDefinitions(database.kysely, randomBytes(32));
    await stranger.save({ ...nothing, devices: [sampleDevice({ host: 'moved', password: null })] });
    expect(await stranger.addressOf('QA1')).toMatchObject({ fault: { code: 'PASSWORD_NOT_READABLE' } });
    await stranger.save({ ...nothing, devices: [sampleDevice({ password: PASSWORD })] });
    expect(await stranger.hasPassword('QA1', PASSWORD)).toBe(true);
  });
});

describe('the address of a device', () => {
  it('has the ways to judge a certificate in the words of the client', async () => {
    const ways = [
      [{ ca: 'PEM' }, { kind: 'ca', pem: 'PEM' }],
      [{ pin: 'ab' }, { kind: 'pin', sha256: 'ab' }],
      [{ system: true }, { kind: 'system' }],
      [{ insecure: true }, { kind: 'insecure' }],
    ] as const;
    for (const [tls, trust] of ways) {
      await definitions.save({ ...nothing, devices: [sampleDevice({ tls })] });
      const address = await definitions.addressOf('QA1');
      const value = { host: 'qa1.example.com', port: 5550, username: 'backup', tls: trust };
      expect(address).toMatchObject({ ok: true, value });
    }
  });

  it('is a fault for one that is not defined', async () => {
    expect(await definitions.addressOf('QA9')).toMatchObject({ fault: { code: 'DEVICE_NOT_DEFINED' } });
  });
});
