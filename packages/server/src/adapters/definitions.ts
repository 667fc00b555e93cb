import { randomUUID } from 'node:crypto';
import { type ApplianceAddress, Secret, type Trust } from '@stillpoint/datapower';
import type { Kysely, Transaction } from 'kysely';
import type { Definitions, DeviceChange, DeviceRecord } from '../app/ports.ts';
import { openSecret, sealSecret } from './sealed-secret.ts';
import type { Tables, TlsColumn } from './tables.ts';

/** What operators define, kept in the database; passwords are sealed with a key that is not in it. */
export class StoredDefinitions implements Definitions {
  readonly #db: Kysely<Tables>;
  readonly #key: Buffer;

  constructor(db: Kysely<Tables>, key: Buffer) {
    this.#db = db;
    this.#key = key;
  }

  async parameterValues(): Promise<Readonly<Record<string, unknown>>> {
    const rows = await this.#db.selectFrom('parameter').select(['name', 'value']).execute();
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }

  async devices(): Promise<readonly DeviceRecord[]> {
    const rows = await this.#db.selectFrom('device').selectAll().orderBy('name').execute();
    return rows.map((row) => ({
      name: row.name,
      host: row.host,
      somaPort: row.soma_port,
      restPort: row.rest_port,
      username: row.username,
      tls: row.tls,
      tags: row.tags,
      isEnabled: row.is_enabled,
    }));
  }

  async plans(): ReturnType<Definitions['plans']> {
    const rows = await this.#db.selectFrom('plan').select('definition').orderBy('name').execute();
    return rows.map(({ definition }) => definition);
  }

  async hasPassword(device: string, password: string): Promise<boolean> {
    return (await this.#password(device)) === password;
  }

  /** Where a device is and how to log in; null when there is no such device. */
  async addressOf(device: string): Promise<ApplianceAddress | null> {
    const row = await this.#db.selectFrom('device').selectAll().where('name', '=', device).executeTakeFirst();
    if (row === undefined) return null;
    return {
      host: row.host,
      port: row.soma_port,
      username: row.username,
      password: new Secret(openSecret(this.#key, row.sealed_password, contextOf(device))),
      tls: trustOf(row.tls),
    };
  }

  async save(changes: Parameters<Definitions['save']>[0]): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      for (const [name, value] of Object.entries(changes.parameters)) {
        const row = { name, value: JSON.stringify(value) };
        await trx
          .insertInto('parameter')
          .values(row)
          .onConflict((found) => found.column('name').doUpdateSet({ value: row.value }))
          .execute();
      }
      // The zone decides when plans fire; the planner works it out anew.
      if (Object.hasOwn(changes.parameters, 'timezone')) {
        await trx.updateTable('plan').set({ is_planned: false }).execute();
      }
      for (const device of changes.devices) await this.#saveDevice(trx, device);
      for (const plan of changes.plans) {
        const definition = JSON.stringify(plan);
        await trx
          .insertInto('plan')
          .values({ id: randomUUID(), name: plan.name, definition })
          .onConflict((found) => found.column('name').doUpdateSet({ definition, is_planned: false }))
          .execute();
      }
    });
  }

  async #saveDevice(trx: Transaction<Tables>, device: DeviceChange): Promise<void> {
    const password = device.password ?? (await this.#password(device.name));
    if (password === null) throw new Error(`The new device ${device.name} came without a password.`);
    const row = {
      host: device.host,
      soma_port: device.somaPort,
      rest_port: device.restPort,
      username: device.username,
      sealed_password: sealSecret(this.#key, password, contextOf(device.name)),
      tls: JSON.stringify(device.tls),
      tags: JSON.stringify(device.tags),
      is_enabled: device.isEnabled,
    };
    await trx
      .insertInto('device')
      .values({ id: randomUUID(), name: device.name, ...row })
      .onConflict((found) => found.column('name').doUpdateSet(row))
      .execute();
  }

  async #password(device: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('device')
      .select('sealed_password')
      .where('name', '=', device)
      .executeTakeFirst();
    return row === undefined ? null : openSecret(this.#key, row.sealed_password, contextOf(device));
  }
}

const contextOf = (device: string): string => `device password of ${device}`;

function trustOf({ ca, pin, system }: TlsColumn): Trust {
  if (ca !== undefined) return { kind: 'ca', pem: ca };
  if (pin !== undefined) return { kind: 'pin', sha256: pin };
  return system === true ? { kind: 'system' } : { kind: 'insecure' };
}
