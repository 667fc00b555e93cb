import { isSecretParameter, type Plan, type SecretParameterName } from '@stillpoint/core';
import { MemoryDatabase } from '../../../engine/src/testing/memory-database.ts';
import type { Definitions, DeviceChange, DeviceRecord } from '../app/ports.ts';

/** For tests: a plan as it is remembered; `isPlanned` once its next fire was worked out since it was saved. */
export type RememberedPlan = {
  readonly planId: string;
  readonly plan: Plan;
  readonly nextFireAt: number | null;
  readonly isPlanned: boolean;
};

/** For tests: definitions that are kept in memory; `saves` counts how often something was saved. */
export class RememberedDefinitions implements Definitions {
  saves = 0;
  #parameters: Readonly<Record<string, unknown>>;
  #devices: ReadonlyMap<string, DeviceChange>;
  /** By name. */
  readonly planRows = new Map<string, RememberedPlan>();
  readonly #database: MemoryDatabase;

  constructor({
    parameters = {},
    devices = [],
    plans = [],
    database = new MemoryDatabase(),
  }: {
    parameters?: Record<string, unknown>;
    devices?: DeviceChange[];
    plans?: Plan[];
    database?: MemoryDatabase;
  } = {}) {
    this.#database = database;
    this.#parameters = parameters;
    this.#devices = new Map(devices.map((device) => [device.name, device]));
    for (const plan of plans) this.#keepPlan(plan);
  }

  async parameterValues(): Promise<Readonly<Record<string, unknown>>> {
    const entries = Object.entries(this.#parameters);
    return Object.fromEntries(
      entries.map(([name, value]) => [name, isSecretParameter(name) ? null : value] as const),
    );
  }

  async hasSecret(name: SecretParameterName, value: string): Promise<boolean> {
    return this.#parameters[name] === value;
  }

  async devices(): Promise<readonly DeviceRecord[]> {
    return [...this.#devices.values()].map((device) => {
      const { password: _password, ...record } = device;
      return record;
    });
  }

  async plans(): Promise<readonly Plan[]> {
    return [...this.planRows.values()].map(({ plan }) => plan);
  }

  async hasPassword(device: string, password: string): Promise<boolean> {
    return this.passwordOf(device) === password;
  }

  passwordOf(device: string): string | null | undefined {
    return this.#devices.get(device)?.password;
  }

  async save(changes: Parameters<Definitions['save']>[0]): Promise<void> {
    this.saves += 1;
    // In a transaction, so that no planner decides on a plan that is replaced meanwhile.
    await this.#database.transact(async (trx) => trx.stage(() => this.#keep(changes)));
  }

  #keep({ parameters, devices, plans }: Parameters<Definitions['save']>[0]): void {
    const kept = devices.map((device) => {
      const password = device.password ?? this.passwordOf(device.name) ?? null;
      return [device.name, { ...device, password }] as const;
    });
    const entries = Object.entries({ ...this.#parameters, ...parameters });
    const { timezone: zoneBefore } = this.#parameters;
    this.#parameters = Object.fromEntries(
      entries.filter(([name, value]) => !(isSecretParameter(name) && value === '')),
    );
    this.#devices = new Map([...this.#devices, ...kept]);
    const { timezone = zoneBefore } = parameters;
    if (timezone !== zoneBefore) {
      for (const [name, row] of this.planRows)
        if (row.plan.timezone === null) this.planRows.set(name, { ...row, isPlanned: false });
    }
    for (const plan of plans) this.#keepPlan(plan);
  }

  #keepPlan(plan: Plan): void {
    const known = this.planRows.get(plan.name);
    const planId = known?.planId ?? `plan ${this.planRows.size + 1}`;
    const firesAsBefore =
      known?.plan.schedule === plan.schedule &&
      known.plan.timezone === plan.timezone &&
      known.plan.isEnabled === plan.isEnabled;
    const isPlanned = firesAsBefore && known.isPlanned;
    this.planRows.set(plan.name, { planId, plan, nextFireAt: known?.nextFireAt ?? null, isPlanned });
  }
}
