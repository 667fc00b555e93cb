import type { DeviceDescriptionInput, FleetDescriptionInput } from './fleet-description.ts';

/** The outline of a regular fleet: so many devices, each with so many domains. */
export interface FleetOutline {
  readonly devices: number;
  readonly domains: number;
  /** Device names are this and a number from 1; default `dp`. */
  readonly prefix?: string;
  /** What each domain has besides its name. */
  readonly domain?: Partial<NonNullable<DeviceDescriptionInput['domains']>[number]>;
  readonly defaults?: FleetDescriptionInput['defaults'];
}

/** Describes a regular fleet: devices `dp1`, `dp2`, ... with the domains `domain1`, `domain2`, ... and own serials. */
export function describeFleet(outline: FleetOutline): FleetDescriptionInput {
  const { prefix = 'dp', defaults = {} } = outline;
  const domains = numbers(outline.domains).map((number) => ({ ...outline.domain, name: `domain${number}` }));
  const devices = numbers(outline.devices).map((number) => ({
    name: `${prefix}${number}`,
    firmware: { serial: String(number).padStart(7, '0') },
    domains,
  }));
  return { defaults, devices };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}
