import { type Activity, NO_RETRY, type Parameters, type Plan, type Retry } from '@stillpoint/core';
import { sampleActivity, samplePlan } from '../../../packages/server/src/testing/sample-plan.ts';
import { Dice } from './dice.ts';
import type { PretendDeviceOptions } from './pretend-device.ts';
import { calm, type Weather } from './pretend-network.ts';
import type { Disturbance } from './storm.ts';

/** What one seed begins with; everything else comes over it while it goes on. */
export type Scenario = {
  readonly startAt: number;
  readonly nodes: readonly string[];
  readonly devices: readonly PretendDeviceOptions[];
  readonly parameters: Partial<Parameters>;
  readonly plans: readonly Plan[];
  readonly weather: Weather;
  readonly hostTimezone: string;
  /** How long things go wrong, in milliseconds; then everything heals. */
  readonly stormMs: number;
  /** How long it is quiet between two disturbances on average, in milliseconds. */
  readonly pauseMs: number;
  /** What can come over it, and how often; null for everything. */
  readonly disturbances: Partial<Record<Disturbance, number>> | null;
};

/** Begins of histories that have something to say about clocks: DST both ways, a leap day, a year's end. */
const starts = [
  '2026-03-29T00:58:30Z',
  '2026-10-25T00:58:30Z',
  '2026-03-08T06:58:30Z',
  '2026-11-01T05:58:30Z',
  '2028-02-28T23:58:30Z',
  '2026-12-31T23:58:30Z',
  '2026-06-15T11:58:30Z',
];

const zones = ['Europe/Zurich', 'America/New_York', 'UTC', 'Australia/Lord_Howe'];

/** Makes the beginning of a seed's history. */
export function makeScenario(seed: number): Scenario {
  const dice = new Dice(seed, 'scenario');
  const policies = new Dice(seed, 'policies');
  const retries = new Dice(seed, 'retries');
  const startAt = Date.parse(dice.pick(starts)) + dice.between(0, 60_000);
  const nodes = Array.from({ length: dice.pick([1, 1, 2, 2, 2, 3]) }, (_, at) => `node-${at + 1}`);
  const devices = Array.from({ length: dice.between(2, 6) }, (_, at) => deviceOf(dice, at + 1));
  return {
    startAt,
    nodes,
    devices,
    parameters: parametersOf(dice),
    plans: Array.from({ length: dice.between(1, 3) }, (_, at) => ({
      ...withRetries(planOf(dice, at + 1, startAt), retries),
      ...policiesOf(policies),
    })),
    weather: weatherOf(dice),
    hostTimezone: dice.pick(zones),
    stormMs: dice.between(25_000, 90_000),
    pauseMs: dice.pick([2_000, 5_000, 10_000]),
    disturbances: null,
  };
}

function deviceOf(dice: Dice, number: number): PretendDeviceOptions {
  const domains = Array.from({ length: dice.between(1, 3) }, (_, at) => ({
    name: `D${at + 1}`,
    isSaveNeeded: dice.chance(0.3),
  }));
  return {
    name: `dev-${number}`,
    serial: `000000${number}`,
    domains,
    certificate: dice.chance(0.9) ? 'dr-cert' : 'another',
    quiesceMs: dice.pick([0, 500, 3_000, 15_000]),
    unquiesceMs: dice.pick([0, 500, 2_000, 8_000]),
    secureBackupMs: dice.pick([0, 1_500, 6_000]),
    isInBackupMode: dice.chance(0.9),
  };
}

function parametersOf(dice: Dice): Partial<Parameters> {
  return {
    'store.path': '/store',
    'quiesce.timeoutSeconds': 60,
    'quiesce.graceSeconds': dice.between(0, 10),
    'quiesce.settleSeconds': dice.between(2, 15),
    'quiesce.pollMs': dice.pick([500, 1_000, 2_000]),
    'unquiesce.timeoutSeconds': dice.between(5, 40),
    'unquiesce.graceSeconds': dice.between(0, 10),
    'devices.parallel': dice.pick([1, 2, 8]),
  };
}

function planOf(dice: Dice, number: number, startAt: number): Plan {
  const timezone = dice.pick(zones);
  const activities = Array.from({ length: dice.between(1, 2) }, () => activityOf(dice));
  return samplePlan({
    name: `plan-${number}`,
    schedule: dice.pick(['0 * * * * ?', '30 * * * * ?', '0/30 * * * * ?', '15 0/2 * * * ?', null]),
    timezone,
    window: dice.chance(0.4) ? [windowAround(dice, startAt, timezone)] : 'none',
    defaultErrorPolicy: dice.pick(['halt', 'ignore']),
    prePlanScript: dice.chance(0.1) ? 'pre.sh' : null,
    postPlanScript: dice.chance(0.1) ? 'post.sh' : null,
    activities,
  });
}

/** What becomes of fires that are missed, and of those that come while a run is going. */
function policiesOf(dice: Dice): Pick<Plan, 'missedRuns' | 'overlap'> {
  return { missedRuns: dice.pick(['once', 'skip']), overlap: dice.pick(['skip', 'queue']) };
}

function activityOf(dice: Dice): Activity {
  const common = {
    devices: dice.pick(['*', 'dev-1', 'dev-1,dev-2', '*,!dev-2', 'dev-*', 'nothing']),
    quiesce: dice.chance(0.75),
    preTaskScript: dice.chance(0.1) ? 'pre.sh' : null,
    postTaskScript: dice.chance(0.1)
      ? ({ script: 'post.sh', when: dice.pick(['always', 'onFailure'] as const) } as const)
      : null,
    errorPolicy: dice.pick(['plan', 'halt', 'ignore'] as const),
    retry: NO_RETRY,
  };
  if (dice.chance(0.35)) {
    const kinds = { certificate: 'dr-cert', includesIscsi: false, includesRaid: false };
    return { ...common, ...kinds, action: 'SECURE_BACKUP' };
  }
  return { ...sampleActivity, ...common, domains: dice.pick(['*', 'D1', 'D*', 'all-domains', 'default']) };
}

function withRetries(plan: Plan, dice: Dice): Plan {
  return { ...plan, activities: plan.activities.map((activity) => ({ ...activity, retry: retryOf(dice) })) };
}

function retryOf(dice: Dice): Retry {
  if (dice.chance(0.6)) return NO_RETRY;
  return { attempts: dice.between(1, 3), delaySeconds: dice.pick([0, 3, 10, 30, 120]) };
}

/** A window that is open when the history begins and closes while it goes on. */
function windowAround(dice: Dice, startAt: number, timeZone: string): string {
  const clock = (at: number): string =>
    new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(at);
  return `${clock(startAt - 3_600_000)}-${clock(startAt + dice.between(1, 2) * 60_000)}`;
}

function weatherOf(dice: Dice): Weather {
  const severity = dice.pick([0, 0.3, 1, 3]);
  return {
    ...calm,
    fair: 100,
    slow: 2 * severity,
    unreachable: 1.5 * severity,
    requestLost: 1.5 * severity,
    replyLost: 1.5 * severity,
    late: 2 * severity,
    silent: 0.1 * severity,
    refused: severity,
    unreadable: severity,
    empty: 0.5 * severity,
    stranger: 2 * severity,
  };
}
