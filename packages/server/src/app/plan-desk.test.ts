import type { Plan as PlanShown } from '@stillpoint/contract';
import type { Plan } from '@stillpoint/core';
import { describe, expect, it } from 'vitest';
import { RememberedDefinitions } from '../testing/remembered-definitions.ts';
import { sampleDevice } from '../testing/sample-device.ts';
import { samplePlan } from '../testing/sample-plan.ts';
import { PlanDesk, type PlanPorts } from './plan-desk.ts';

// What previews and the calendar say has tests of its own.
const unused = {} as never;
const noStore = {
  code: 'STORE_PATH_NOT_SET',
  effect: 'none',
  retryable: false,
  detail: 'No store.',
} as const;

async function shown(plan: Partial<Plan>): Promise<PlanShown> {
  const lastRun = { id: 'r0', status: 'FAILED', startedAt: '1970-01-01T00:00:00.000Z' } as const;
  const ports: Partial<PlanPorts> = {
    definitions: new RememberedDefinitions({ plans: [samplePlan({ name: 'nightly', ...plan })] }),
    history: { lastRuns: async () => new Map([['nightly', lastRun]]) },
    planHistory: { ...(unused as PlanPorts['planHistory']), leftOutFires: async () => new Map() },
    hostTimezone: 'UTC',
    now: () => Date.UTC(2026, 2, 29, 12),
  };
  const found = await new PlanDesk(ports as PlanPorts).get('nightly');
  if (!found.ok) throw new Error(found.problem.detail);
  return found.value;
}

describe('a plan that is shown', () => {
  it('has its next five fires and its last run', async () => {
    const plan = await shown({ schedule: '0 30 2 * * ?', timezone: 'Asia/Tokyo' });
    expect(plan.nextFireAts).toEqual(
      [29, 30, 31]
        .map((day) => `2026-03-${day}T17:30:00.000Z`)
        .concat(['2026-04-01T17:30:00.000Z', '2026-04-02T17:30:00.000Z']),
    );
    expect(plan.lastRun).toEqual({ id: 'r0', status: 'FAILED', startedAt: '1970-01-01T00:00:00.000Z' });
  });

  it('tells its schedule as it was understood', async () => {
    const { scheduleRead } = await shown({ schedule: '30 2 * * 1-5', timezone: null });
    expect(scheduleRead).toEqual({
      expression: '0 30 2 ? * MON-FRI',
      words: 'At 02:30, Monday through Friday (UTC)',
    });
  });

  it.each([null, '0 0 2 1 1 ? 2020'])('with the schedule %s does not fire by itself', async (schedule) => {
    expect(await shown({ schedule })).toMatchObject({ scheduleRead: null, nextFireAts: [] });
  });
});

describe('a preview', () => {
  it('may go by what is remembered of API Connect, where a run asks', async () => {
    const sources: unknown[] = [];
    const ports: Partial<PlanPorts> = {
      definitions: new RememberedDefinitions({
        devices: [sampleDevice({ name: 'QA1' })],
        plans: [samplePlan({ name: 'nightly' })],
      }),
      fleet: {
        readInventory: async (...[, , , source]) => {
          sources.push(source);
          return { isAvailable: true, domains: [] };
        },
      },
      store: { check: async () => ({ ok: false, fault: noStore }) },
      scripts: { problemOf: async () => null },
      planHistory: {
        ...(unused as PlanPorts['planHistory']),
        earlierBackups: async (places) => places.map(() => null),
      },
      hostTimezone: 'UTC',
      now: () => 0,
      remedyOf: () => '',
    };
    expect(await new PlanDesk(ports as PlanPorts).preview('nightly')).toMatchObject({ ok: true });
    expect(sources).toEqual(['remembered']);
  });
});
