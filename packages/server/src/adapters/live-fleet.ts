import type { Inventory, Reply } from '@stillpoint/core';
import type { Clock, DeviceFindings, Fleet } from '../app/ports.ts';
import type { Appliances } from './appliances.ts';

/** The fleet as it answers now. */
export class LiveFleet implements Fleet {
  readonly #appliances: Appliances;
  readonly #now: Clock;

  constructor(appliances: Appliances, now: Clock) {
    this.#appliances = appliances;
    this.#now = now;
  }

  async readInventory(device: string, wants: (domain: string) => boolean): Promise<Inventory> {
    const rows = await this.#appliances.ask(device, (appliance) => appliance.readDomainStatus());
    if (!rows.ok) return { isAvailable: false, detail: rows.fault.detail };
    const domains: { name: string; isApiConnect: boolean }[] = [];
    for (const { domain } of rows.value) {
      const isApiConnect = wants(domain)
        ? await this.#appliances.ask(device, (appliance) => appliance.findApiConnectGateway(domain))
        : ({ ok: true, value: false } as const);
      if (!isApiConnect.ok) return { isAvailable: false, detail: isApiConnect.fault.detail };
      domains.push({ name: domain, isApiConnect: isApiConnect.value });
    }
    return { isAvailable: true, domains };
  }

  async findOut(device: string): Promise<DeviceFindings> {
    const firmware = await this.#appliances.ask(device, (appliance) => appliance.readFirmware());
    if (!firmware.ok) return { firmware };
    const { serial, version, modelType, machineType } = firmware.value;
    const backupMode = await this.#appliances.ask(device, (appliance) => appliance.readBackupMode());
    const clockDifferenceMs = await this.#clockDifference(device);
    const rows = await this.#appliances.ask(device, (appliance) => appliance.readDomainStatus());
    return {
      firmware: { ok: true, value: { serial, version, model: [machineType, modelType].join(' ').trim() } },
      backupMode,
      clockDifferenceMs,
      domains: rows.ok ? { ok: true, value: rows.value.map(({ domain }) => domain) } : rows,
    };
  }

  /** The device stamps its answer some time between our question and its arrival; the middle is the best guess. */
  async #clockDifference(device: string): Promise<Reply<number | null>> {
    const askedAt = this.#now();
    const time = await this.#appliances.ask(device, (appliance) => appliance.readDateTime());
    if (!time.ok) return time;
    const { stampedAt } = time.value;
    if (stampedAt === null) return { ok: true, value: null };
    return { ok: true, value: Date.parse(stampedAt) - (askedAt + this.#now()) / 2 };
  }
}
