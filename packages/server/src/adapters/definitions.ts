import { randomUUID } from 'node:crypto';
import { completePlan, type Reply } from '@stillpoint/core';
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
    return rows.map(({ definition }) => completePlan(definition));
  }

  async hasPassword(device: string, password: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('device')
      .select('sealed_password')
      .where('name', '=', device)
      .executeTakeFirst();
    return row !== undefined && this.#open(device, row.sealed_password) === password;
  }

  /** Where a device is and how to log in; a fault when it is gone, or its password was sealed with another key. */
  async addressOf(device: string): Promise<Reply<ApplianceAddress>> {
    const row = await this.#db.selectFrom('device').selectAll().where('name', '=', device).executeTakeFirst();
    if (row === undefined)
      return noAddress('DEVICE_NOT_DEFINED', `The device ${device} is no longer defined.`);
    const password = this.#open(device, row.sealed_password);
    if (password === null) {
      return noAddress('PASSWORD_NOT_READABLE', `The password of ${device} was kept with another key.`);
    }
    const { host, soma_port: port, username, tls } = row;
    return { ok: true, value: { host, port, username, password: new Secret(password), tls: trustOf(tls) } };
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
    const row = {
      host: device.host,
      soma_port: device.somaPort,
      rest_port: device.restPort,
      username: device.username,
      tls: JSON.stringify(device.tls),
      tags: JSON.stringify(device.tags),
      is_enabled: device.isEnabled,
    };
    if (device.password === null) {
      const { numUpdatedRows } = await trx
        .updateTable('device')
        .set(row)
        .where('name', '=', device.name)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) throw new Error(`The new device ${device.name} came without a password.`);
      return;
    }
    const sealed_password = sealSecret(this.#key, device.password, contextOf(device.name));
    await trx
      .insertInto('device')
      .values({ id: randomUUID(), name: device.name, ...row, sealed_password })
      .onConflict((found) => found.column('name').doUpdateSet({ ...row, sealed_password }))
      .execute();
  }

  /** Null when the password was sealed with another key. */
  #open(device: string, sealed: Buffer): string | null {
    try {
      return openSecret(this.#key, sealed, contextOf(device));
    } catch {
      return null;
    }
  }
}

function noAddress(code: 'DEVICE_NOT_DEFINED' | 'PASSWORD_NOT_READABLE', detail: string): Reply<never> {
  return { ok: false, fault: { code, effect: 'none', retryable: false, detail } };
}

const contextOf = (device: string): string => `device password of ${device}`;

function trustOf({ ca, pin, system }: TlsColumn): Trust {
  if (ca !== undefined) return { kind: 'ca', pem: ca };
  if (pin !== undefined) return { kind: 'pin', sha256: pin };
  return system === true ? { kind: 'system' } : { kind: 'insecure' };
}
