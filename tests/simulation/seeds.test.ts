import { describe, expect, it } from 'vitest';
import { mutations } from './testing/mutations.ts';
import { runHistory } from './testing/run-history.ts';
import { figuresOf, replayOf, runSeeds } from './testing/run-seeds.ts';

const SEEDS = 2_000;

describe('the simulation', () => {
  it('R-18: no seed of the first 2,000 breaks an invariant after any step', {
    timeout: 600_000,
  }, async () => {
    const report = await runSeeds(1, SEEDS);
    console.log(`R-18: ${figuresOf(report)}`);
    expect(report.failures.map(replayOf)).toEqual([]);
    expect(report.seeds).toBe(SEEDS);
  });

  it('gives one seed the same history twice, bit by bit, and another seed another', async () => {
    const once = await runHistory({ seed: 7, keepsTrail: true });
    const again = await runHistory({ seed: 7, keepsTrail: true });
    const other = await runHistory({ seed: 8, keepsTrail: true });
    expect(again.lines).toEqual(once.lines);
    expect(again.sum).toBe(once.sum);
    expect(other.sum).not.toBe(once.sum);
  });

  it('tells the same history whether its lines are kept or not', async () => {
    const shown = await runHistory({ seed: 11, keepsTrail: true });
    const counted = await runHistory({ seed: 11 });
    expect(counted.sum).toBe(shown.sum);
    expect(counted.lines).toEqual([]);
  });
});

/** Seeds that have found something once; what they mean changes with the programs, what they found must not come back. */
const keptSeeds: Readonly<Record<number, string>> = {
  89: 'a node with both hands full left a quiesced device of a lost node to itself',
  596: 'a fire started a second run when the clock was put back and the plan was changed then',
  878: 'a secure backup was still being waited for by a node that had lost its task',
  1359: 'a quiesce that never ended was waited for until a clock that was put back by a day had caught up',
  1445: 'the same with an hour',
  3693: 'a node did not let go of what it did while the database neither answered nor broke',
  4581: 'a guard was worked off while a task of another node fetched an export, which is as it should be',
  5198: 'two nodes were at one device',
  8329: 'a run never ended after a step of the clock',
  9350: 'a run never ended after a step of the clock, on a node that was restarted',
};

describe('a seed that has found something', () => {
  it.each(Object.entries(keptSeeds))('%s finds nothing any more: %s', async (seed) => {
    const { violation } = await runHistory({ seed: Number(seed) });
    expect(violation).toBeNull();
  });
});

/** For each mistake: within how many seeds it is found, and which invariants it breaks. */
const mistakes: Record<keyof typeof mutations, { within: number; breaks: string }> = {
  GuardNotWritten: { within: 20, breaks: 'I1' },
  GuardClosedEarly: { within: 20, breaks: 'I1' },
  OrphansIgnored: { within: 200, breaks: 'I2' },
  UndoSkipped: { within: 20, breaks: 'I1 I2' },
  LookSkipped: { within: 20, breaks: 'I1 I3' },
  FencingOff: { within: 400, breaks: 'I7 I14' },
  TokenCheckOff: { within: 400, breaks: 'I14' },
  ExclusionOff: { within: 20, breaks: 'I7 I14' },
  SettleTimeZero: { within: 400, breaks: 'I1 I3' },
  BytesNotCompared: { within: 400, breaks: 'I10' },
  PublishSkipped: { within: 20, breaks: 'I5 I13' },
  WindowForgotten: { within: 400, breaks: 'I8' },
  OverlapIgnored: { within: 20, breaks: 'R-14' },
  TurnNotAwaited: { within: 100, breaks: 'R-14' },
  LeftOutNotTold: { within: 20, breaks: 'R-09' },
};

describe('a mistake in the wiring', () => {
  const names = Object.keys(mistakes) as (keyof typeof mutations)[];
  it.each(names)('%s is found by some seed', { timeout: 120_000 }, async (name) => {
    const { within, breaks } = mistakes[name];
    for (let seed = 1; seed <= within; seed += 1) {
      const { violation } = await runHistory({ seed, mutation: new mutations[name]() });
      if (violation === null) continue;
      console.log(`${name}: found by seed ${seed}: ${violation.invariant}, ${violation.detail}`);
      expect(breaks.split(' ')).toContain(violation.invariant);
      return;
    }
    expect.fail(`No seed of ${within} found the mistake ${name}.`);
  });
});
