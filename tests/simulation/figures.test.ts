import { describe, expect, it } from 'vitest';
import { sampleActivity, samplePlan } from '../../packages/server/src/testing/sample-plan.ts';
import type { PretendDeviceOptions } from './testing/pretend-device.ts';
import { calm } from './testing/pretend-network.ts';
import { type Counted, type History, runHistory } from './testing/run-history.ts';
import { makeScenario, type Scenario } from './testing/scenario.ts';

/** Runs histories until enough of something was counted, and expects every invariant to hold in each. */
async function runUntil(
  counted: Counted,
  enough: number,
  scenarioOf: (seed: number) => Scenario,
): Promise<{ seeds: number; counts: Record<Counted, number>; histories: History[] }> {
  const histories: History[] = [];
  const counts = {} as Record<Counted, number>;
  for (let seed = 1; (counts[counted] ?? 0) < enough; seed += 1) {
    const history = await runHistory({ seed, scenario: scenarioOf(seed) });
    expect({ seed, violation: history.violation }).toEqual({ seed, violation: null });
    for (const [name, count] of Object.entries(history.counts) as [Counted, number][])
      counts[name] = (counts[name] ?? 0) + count;
    histories.push(history);
  }
  return { seeds: histories.length, counts, histories };
}

function fleetOf(count: number, domains: number, own: Partial<PretendDeviceOptions> = {}) {
  return Array.from(
    { length: count },
    (_, at): PretendDeviceOptions => ({
      name: `dev-${at + 1}`,
      serial: String(at + 1).padStart(7, '0'),
      domains: Array.from({ length: domains }, (_, number) => ({
        name: `D${number + 1}`,
        isSaveNeeded: number % 4 === 0,
      })),
      certificate: 'dr-cert',
      quiesceMs: [0, 800, 6_000][at % 3] ?? 0,
      unquiesceMs: [300, 4_000][at % 2] ?? 0,
      secureBackupMs: 500,
      isInBackupMode: true,
      ...own,
    }),
  );
}

describe('figures', () => {
  it('R-13: 10,000 devices were quiesced, through whatever can happen to them, and none was forgotten or disturbed', {
    timeout: 900_000,
  }, async () => {
    const scenarioOf = (seed: number): Scenario => ({
      ...makeScenario(seed),
      nodes: ['node-1'],
      devices: fleetOf(40, 3),
      plans: [
        samplePlan({
          schedule: '0/15 * * * * ?',
          defaultErrorPolicy: 'ignore',
          activities: [
            {
              ...sampleActivity,
              devices: '*',
              domains: seed % 2 === 0 ? 'D1' : 'all-domains',
              quiesce: true,
            },
          ],
        }),
      ],
      parameters: { ...makeScenario(seed).parameters, 'devices.parallel': 40 },
      weather: {
        ...calm,
        fair: 100,
        slow: 3,
        unreachable: 2,
        requestLost: 3,
        replyLost: 3,
        late: 4,
        refused: 4,
        unreadable: 2,
        empty: 1,
      },
      stormMs: 60_000,
      pauseMs: 500,
      disturbances: {
        deviceAway: 3,
        reboot: 3,
        releaseByHand: 4,
        flap: 3,
        quiesceByOther: 6,
        badEnding: 5,
        badUnquiesce: 5,
      },
    });
    const { seeds, counts } = await runUntil('guards', 10_000, scenarioOf);
    const { guards, tasks, action, fault, storm } = counts;
    console.log(
      `R-13: ${guards} histories of quiesced devices in ${seeds} seeds: ${tasks} tasks, ${action} actions, ${fault} faults on the way, ${storm} disturbances; 0 left quiesced, 0 of somebody else's unquiesced`,
    );
    expect(guards).toBeGreaterThanOrEqual(10_000);
  });

  it('R-08: no byte comes to lie under another device, with 50 of them at once, answers in any order and some empty', {
    timeout: 900_000,
  }, async () => {
    const scenarioOf = (seed: number): Scenario => ({
      ...makeScenario(seed),
      nodes: ['node-1'],
      devices: fleetOf(50, 10),
      plans: [
        samplePlan({
          schedule: '0/20 * * * * ?',
          defaultErrorPolicy: 'ignore',
          activities: [{ ...sampleActivity, devices: '*', domains: 'D*' }],
        }),
      ],
      parameters: { 'store.path': '/store', 'devices.parallel': 50 },
      weather: { ...calm, fair: 100, slow: 3, empty: 2, stranger: 4 },
      stormMs: 60_000,
      pauseMs: 5_000,
      disturbances: { changeConfiguration: 1 },
    });
    const { seeds, counts } = await runUntil('tasks', 10_000, scenarioOf);
    const { tasks, files, fault } = counts;
    console.log(
      `R-08: ${tasks} tasks over 50 devices at once in ${seeds} seeds, ${fault} answers empty, late or of another device, ${files} files published; 0 bytes under the wrong device`,
    );
    expect(files).toBeGreaterThan(tasks / 2);
  });

  it('R-09 and R-14: each fire starts one run or none, as its policies say, whatever clocks and nodes do', {
    timeout: 600_000,
  }, async () => {
    const schedules = ['0 * * * * ?', '0/20 * * * * ?', '0 0/2 * * * ?', '0 0 2 * * ?', '0 0 0 29 2 ?'];
    const zones = ['Europe/Zurich', 'America/New_York', 'UTC', null, 'Australia/Lord_Howe'];
    const scenarioOf = (seed: number): Scenario => ({
      ...makeScenario(seed),
      nodes: seed % 3 === 0 ? ['node-1'] : ['node-1', 'node-2'],
      devices: fleetOf(1, 1, { quiesceMs: 30_000, unquiesceMs: 10_000 }),
      plans: schedules.map((schedule, at) =>
        samplePlan({
          name: `plan-${at + 1}`,
          schedule,
          timezone: zones[(at + seed) % zones.length] ?? null,
          missedRuns: (seed >> 1) % 2 === at % 2 ? 'once' : 'skip',
          overlap: (seed >> 2) % 2 === at % 2 ? 'queue' : 'skip',
          // Every other one takes longer than it is from one fire to the next.
          activities: [
            { ...sampleActivity, devices: at % 2 === 1 ? 'dev-1' : 'nothing', domains: '*', quiesce: true },
          ],
        }),
      ),
      weather: calm,
      stormMs: 240_000,
      pauseMs: 4_000,
      disturbances: {
        stepClock: 6,
        suspendNode: 4,
        killNode: 4,
        restartNode: 2,
        crashDatabase: 1,
        changePlan: 4,
        changeParameter: 3,
      },
    });
    const { seeds, counts } = await runUntil('fires', 5_000, scenarioOf);
    console.log(
      `R-09, R-14: ${counts.fires} fires had a run, ${counts.leftOut} were left out and told, in ${seeds} seeds over DST both ways and a leap day under both policies for missed and for overlapping fires, ${counts.storm} disturbances (clocks put forward and back, nodes stopped, killed and restarted, plans changed); 0 started two runs, 0 against their policy`,
    );
    expect(counts.leftOut).toBeGreaterThan(500);
  });
});
