import type { Reply } from '@stillpoint/core';
import type { Appliance } from '@stillpoint/datapower';
import { beforeEach, expect, test } from 'vitest';
import type { Conversation } from '../programs/conversation.ts';
import { LiveFleet } from './live-fleet.ts';

const TEN_MINUTES_MS = 600_000;

let now: number;
let domains: string[];
let ofApiConnect: Set<string>;
let asked: string[];
let appliance: Appliance;
let fleet: LiveFleet;

beforeEach(() => {
  now = 1_000_000;
  domains = ['A', 'B'];
  ofApiConnect = new Set(['B']);
  asked = [];
  appliance = openPretended();
  fleet = new LiveFleet({ talkTo }, () => now);
});

/** A connection of its own, as there is a new one when the address of a device has changed. */
function openPretended(): Appliance {
  const pretended = Object.fromEntries([
    ['readDomainStatus', async () => ({ ok: true, value: domains.map((domain) => ({ domain })) })],
    [
      'findApiConnectGateway',
      async (domain: string): Promise<Reply<boolean>> => {
        asked.push(domain);
        return { ok: true, value: ofApiConnect.has(domain) };
      },
    ],
  ]);
  return pretended as unknown as Appliance;
}

function talkTo(device: string): Conversation {
  const ask: Conversation['ask'] = async (question) => question(appliance, { signal: undefined });
  return { device, ask, act: async () => ({ ok: true, value: null }) };
}

const look = (source: 'live' | 'remembered') => fleet.readInventory('QA1', () => true, undefined, source);

const bothDomains = {
  isAvailable: true,
  domains: [
    { name: 'A', isApiConnect: false },
    { name: 'B', isApiConnect: true },
  ],
};

test('a second look goes for ten minutes by what the first one found out of API Connect', async () => {
  expect(await look('remembered')).toEqual(bothDomains);
  expect(asked).toEqual(['A', 'B']);
  now += TEN_MINUTES_MS - 1;
  expect(await look('remembered')).toEqual(bothDomains);
  expect(asked).toEqual(['A', 'B']);
  now += 1;
  expect(await look('remembered')).toEqual(bothDomains);
  expect(asked).toEqual(['A', 'B', 'A', 'B']);
});

test('a live look asks whatever is remembered, and what it finds out is remembered', async () => {
  await look('remembered');
  ofApiConnect = new Set(['A']);
  const swapped = { domains: [{ isApiConnect: true }, { isApiConnect: false }] };
  expect(await look('live')).toMatchObject(swapped);
  expect(asked).toHaveLength(4);
  expect(await look('remembered')).toMatchObject(swapped);
  expect(asked).toHaveLength(4);
});

test('the list of the domains is live, and a domain that went and came back is asked again', async () => {
  await look('remembered');
  domains = ['A'];
  expect(await look('remembered')).toMatchObject({ domains: [{ name: 'A' }] });
  domains = ['A', 'B', 'C'];
  await look('remembered');
  expect(asked).toEqual(['A', 'B', 'B', 'C']);
});

test('nothing is remembered of a device whose address has changed, nor by a clock that was put back', async () => {
  await look('remembered');
  appliance = openPretended();
  await look('remembered');
  expect(asked).toHaveLength(4);
  now -= 1;
  await look('remembered');
  expect(asked).toHaveLength(6);
});

test('of a device with thousands of domains only so many are remembered', async () => {
  domains = Array.from({ length: 1_005 }, (_, index) => `D${index}`);
  await look('remembered');
  await look('remembered');
  expect(asked).toHaveLength(1_005 + 5);
});
