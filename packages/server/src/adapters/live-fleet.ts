import type { Inventory, Reply } from '@stillpoint/core';
import type { Appliance, CallOptions } from '@stillpoint/datapower';
import type { Clock, DeviceFindings, Fleet, InventorySource } from '../app/ports.ts';
import type { Conversation } from '../programs/conversation.ts';
import { ApiConnectMemory } from './api-connect-memory.ts';
import type { Appliances } from './appliances.ts';

/** The fleet as it answers now, but for what may be remembered of it. */
export class LiveFleet implements Fleet {
  readonly #appliances: Pick<Appliances, 'talkTo'>;
  readonly #now: Clock;
  readonly #known: ApiConnectMemory;

  constructor(appliances: Pick<Appliances, 'talkTo'>, now: Clock) {
    this.#appliances = appliances;
    this.#now = now;
    this.#known = new ApiConnectMemory(now);
  }

  async readInventory(
    device: string,
    wants: (domain: string) => boolean,
    signal?: AbortSignal,
    source: InventorySource = 'live',
  ): Promise<Inventory> {
    const talk = this.#appliances.talkTo(device, signal);
    const rows = await talk.ask((appliance, call) => this.#listDomains(appliance, call));
    if (!rows.ok) return { isAvailable: false, detail: rows.fault.detail };
    const domains: { name: string; isApiConnect: boolean }[] = [];
    for (const name of rows.value) {
      const isApiConnect = wants(name)
        ? await talk.ask((appliance, call) => this.#isApiConnect(appliance, name, source, call))
        : ({ ok: true, value: false } as const);
      if (!isApiConnect.ok) return { isAvailable: false, detail: isApiConnect.fault.detail };
      domains.push({ name, isApiConnect: isApiConnect.value });
    }
    return { isAvailable: true, domains };
  }

  async #listDomains(appliance: Appliance, call: CallOptions): Promise<Reply<readonly string[]>> {
    const rows = await appliance.readDomainStatus(call);
    if (!rows.ok) return rows;
    const names = rows.value.map(({ domain }) => domain);
    this.#known.keepOnly(appliance, new Set(names));
    return { ok: true, value: names };
  }

  async #isApiConnect(
    appliance: Appliance,
    domain: string,
    source: InventorySource,
    call: CallOptions,
  ): Promise<Reply<boolean>> {
    const known = source === 'remembered' ? this.#known.recall(appliance, domain) : undefined;
    if (known !== undefined) return { ok: true, value: known };
    const answer = await appliance.findApiConnectGateway(domain, call);
    if (answer.ok) this.#known.remember(appliance, domain, answer.value);
    return answer;
  }

  async findOut(device: string, signal?: AbortSignal): Promise<DeviceFindings> {
    const talk = this.#appliances.talkTo(device, signal);
    const firmware = await talk.ask((appliance, call) => appliance.readFirmware(call));
    if (!firmware.ok) return { firmware };
    const { serial, version, modelType, machineType } = firmware.value;
    const backupMode = await talk.ask((appliance, call) => appliance.readBackupMode(call));
    const clockDifferenceMs = await this.#clockDifference(talk);
    const rows = await talk.ask((appliance, call) => appliance.readDomainStatus(call));
    return {
      firmware: { ok: true, value: { serial, version, model: [machineType, modelType].join(' ').trim() } },
      backupMode,
      clockDifferenceMs,
      domains: rows.ok ? { ok: true, value: rows.value.map(({ domain }) => domain) } : rows,
    };
  }

  /** The device stamps its answer some time between our question and its arrival; the middle is the best guess. */
  async #clockDifference(talk: Conversation): Promise<Reply<number | null>> {
    const askedAt = this.#now();
    const time = await talk.ask((appliance, call) => appliance.readDateTime(call));
    if (!time.ok) return time;
    const { stampedAt } = time.value;
    if (stampedAt === null) return { ok: true, value: null };
    return { ok: true, value: Date.parse(stampedAt) - (askedAt + this.#now()) / 2 };
  }
}
