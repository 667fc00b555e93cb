import type { Plan } from '@stillpoint/core';
import type { Definitions, DeviceChange, DeviceRecord } from '../app/ports.ts';

/** For tests: definitions that are kept in memory; `saves` counts how often something was saved. */
export class RememberedDefinitions implements Definitions {
  saves = 0;
  #parameters: Readonly<Record<string, unknown>>;
  #devices: ReadonlyMap<string, DeviceChange>;
  #plans: ReadonlyMap<string, Plan>;

  constructor({
    parameters = {},
    devices = [],
    plans = [],
  }: { parameters?: Record<string, unknown>; devices?: DeviceChange[]; plans?: Plan[] } = {}) {
    this.#parameters = parameters;
    this.#devices = new Map(devices.map((device) => [device.name, device]));
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]));
  }

  async parameterValues(): Promise<Readonly<Record<string, unknown>>> {
    return this.#parameters;
  }

  async devices(): Promise<readonly DeviceRecord[]> {
    return [...this.#devices.values()].map((device) => {
      const { password: _password, ...record } = device;
      return record;
    });
  }

  async plans(): Promise<readonly Plan[]> {
    return [...this.#plans.values()];
  }

  async hasPassword(device: string, password: string): Promise<boolean> {
    return this.passwordOf(device) === password;
  }

  passwordOf(device: string): string | null | undefined {
    return this.#devices.get(device)?.password;
  }

  async save({ parameters, devices, plans }: Parameters<Definitions['save']>[0]): Promise<void> {
    this.saves += 1;
    const kept = devices.map((device) => {
      const password = device.password ?? this.passwordOf(device.name) ?? null;
      return [device.name, { ...device, password }] as const;
    });
    this.#parameters = { ...this.#parameters, ...parameters };
    this.#devices = new Map([...this.#devices, ...kept]);
    this.#plans = new Map([...this.#plans, ...plans.map((plan) => [plan.name, plan] as const)]);
  }
}
