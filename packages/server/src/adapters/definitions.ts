import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { completePlan, isSecretParameter, type Reply, type SecretParameterName } from '@stillpoint/core';
import { type ApplianceAddress, Secret, type Trust } from '@stillpoint/datapower';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Definitions, DeviceChange, DeviceRecord } from '../app/ports.ts';
import { openSecret, sealSecret } from './sealed-secret.ts';
import { recordParameterChange } from './stored-parameter-changes.ts';
import type { Tables, TlsColumn } from './tables.ts';

/** Who changes definitions while nobody says who it is. */
const OPERATOR = 'operator';

/** What operators define, kept in the database; passwords are sealed with a key that is not in it. */
export class StoredDefinitions implements Definitions {
  readonly #db: Kysely<Tables>;
  readonly #key: Buffer;

  constructor(db: Kysely<Tables>, key: Buffer) {
    this.#db = db;
    this.#key = key;
  }

  async parameterValues(): Promise<Readonly<Record<string, unknown>>> {
    const secrets = this.#db
      .selectFrom('sealed_parameter')
      .select(['name', sql<unknown>`null::jsonb`.as('value')]);
    const rows = await this.#db.selectFrom('parameter').select(['name', 'value']).unionAll(secrets).execute();
    const shown = rows.filter(({ name, value }) => value === null || !isSecretParameter(name));
    return Object.fromEntries(shown.map(({ name, value }) => [name, value]));
  }

  async hasSecret(name: SecretParameterName, value: string): Promise<boolean> {
    const kept = await this.secretParameter(name);
    return kept.ok && kept.value !== null && kept.value.reveal() === value;
  }

  /** What a secret parameter was set to, null for nothing; a fault when it was sealed with another key. */
  async secretParameter(name: SecretParameterName): Promise<Reply<Secret | null>> {
    const row = await this.#db
      .selectFrom('sealed_parameter')
      .select('sealed_value')
      .where('name', '=', name)
      .executeTakeFirst();
    if (row === undefined) return { ok: true, value: null };
    const opened = this.#open(contextOfParameter(name), row.sealed_value);
    if (opened !== null) return { ok: true, value: new Secret(opened) };
    return notGiven('SECRET_NOT_READABLE', `The parameter ${name} was kept with another key.`);
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
    return row !== undefined && this.#open(contextOf(device), row.sealed_password) === password;
  }

  /** Where a device is and how to log in; a fault when it is gone, or its password was sealed with another key. */
  async addressOf(device: string): Promise<Reply<ApplianceAddress>> {
    const row = await this.#db
      .selectFrom('device')
      .select(['host', 'soma_port', 'username', 'sealed_password', 'tls'])
      .where('name', '=', device)
      .executeTakeFirst();
    if (row === undefined)
      return notGiven('DEVICE_NOT_DEFINED', `The device ${device} is no longer defined.`);
    const password = this.#open(contextOf(device), row.sealed_password);
    if (password === null) {
      return notGiven('PASSWORD_NOT_READABLE', `The password of ${device} was kept with another key.`);
    }
    const { host, soma_port: port, username, tls } = row;
    return { ok: true, value: { host, port, username, password: new Secret(password), tls: trustOf(tls) } };
  }

  async save(changes: Parameters<Definitions['save']>[0]): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const changed = new Set<string>();
      for (const [name, value] of Object.entries(changes.parameters)) {
        if (await this.#saveParameter(trx, name, value, changes.changedBy ?? OPERATOR)) changed.add(name);
      }
      // The zone decides when plans without one of their own fire; the planner works it out anew. The others keep the
      // fire that may be due at this moment.
      if (changed.has('timezone')) {
        await trx
          .updateTable('plan')
          .set({ is_planned: false })
          .where(sql<boolean>`definition->>'timezone' is null`)
          .execute();
      }
      for (const device of changes.devices) await this.#saveDevice(trx, device);
      for (const plan of changes.plans) {
        const definition = JSON.stringify(plan);
        await trx
          .insertInto('plan')
          .values({ id: randomUUID(), name: plan.name, definition })
          .onConflict((found) =>
            found
              .column('name')
              .doUpdateSet({ definition, is_planned: sql`plan.is_planned and ${firesAsBefore}` }),
          )
          .execute();
      }
    });
  }

  /** True when it was something else before. */
  async #saveParameter(trx: Transaction<Tables>, name: string, value: unknown, by: string): Promise<boolean> {
    if (isSecretParameter(name)) {
      const isChanged = await this.#saveSecret(trx, name, String(value));
      if (isChanged) await recordParameterChange(trx, { name, before: null, after: null, by });
      return isChanged;
    }
    const known = await trx
      .selectFrom('parameter')
      .select('value')
      .where('name', '=', name)
      .forUpdate()
      .executeTakeFirst();
    const row = { name, value: JSON.stringify(value) };
    await trx
      .insertInto('parameter')
      .values(row)
      .onConflict((found) => found.column('name').doUpdateSet({ value: row.value }))
      .execute();
    const isChanged = known === undefined || !isDeepStrictEqual(known.value, value);
    if (isChanged) await recordParameterChange(trx, { name, before: known?.value, after: value, by });
    return isChanged;
  }

  /** True when it was something else before. */
  async #saveSecret(trx: Transaction<Tables>, name: SecretParameterName, value: string): Promise<boolean> {
    const known = await trx
      .selectFrom('sealed_parameter')
      .select('sealed_value')
      .where('name', '=', name)
      .forUpdate()
      .executeTakeFirst();
    if (value === '') {
      await trx.deleteFrom('sealed_parameter').where('name', '=', name).execute();
      return known !== undefined;
    }
    if (known !== undefined && this.#open(contextOfParameter(name), known.sealed_value) === value)
      return false;
    const sealed_value = sealSecret(this.#key, value, contextOfParameter(name));
    await trx
      .insertInto('sealed_parameter')
      .values({ name, sealed_value })
      .onConflict((found) => found.column('name').doUpdateSet({ sealed_value }))
      .execute();
    return true;
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

  /** Null when it was sealed with another key. */
  #open(context: string, sealed: Buffer): string | null {
    try {
      return openSecret(this.#key, sealed, context);
    } catch {
      return null;
    }
  }
}

function notGiven(
  code: 'DEVICE_NOT_DEFINED' | 'PASSWORD_NOT_READABLE' | 'SECRET_NOT_READABLE',
  detail: string,
): Reply<never> {
  return { ok: false, fault: { code, effect: 'none', retryable: false, detail } };
}

/** A plan whose fires stay the same keeps the one that may be due at this moment. */
const firesAsBefore = sql<boolean>`(plan.definition->'schedule', plan.definition->'timezone', plan.definition->'isEnabled')
  is not distinct from (excluded.definition->'schedule', excluded.definition->'timezone', excluded.definition->'isEnabled')`;

const contextOf = (device: string): string => `device password of ${device}`;
const contextOfParameter = (name: string): string => `parameter ${name}`;

function trustOf({ ca, pin, system }: TlsColumn): Trust {
  if (ca !== undefined) return { kind: 'ca', pem: ca };
  if (pin !== undefined) return { kind: 'pin', sha256: pin };
  return system === true ? { kind: 'system' } : { kind: 'insecure' };
}
