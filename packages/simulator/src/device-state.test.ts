import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  currentCommand,
  type DeviceCommand,
  type DeviceState,
  freshDeviceState,
  isSaveNeeded,
  type QuiesceEnding,
  quiescePhase,
  stepDevice,
} from './device-state.ts';

const START = 1_000_000;
const fresh = (): DeviceState =>
  freshDeviceState(
    ['default', 'A', 'B'].map((name) => ({ name, isSaveNeeded: false })),
    START,
  );

function after(state: DeviceState, command: DeviceCommand, now: number): DeviceState {
  const step = stepDevice(state, command, now);
  if (!step.ok) {
    throw new Error(step.refusal);
  }
  return step.state;
}

function phases(state: DeviceState, now: number): string[] {
  return state.domains.map((domain) => quiescePhase(domain, now));
}

const pace = (takesMs: number, ending: QuiesceEnding = 'reached') => ({ takesMs, ending });
const quiesceA = (takesMs: number, ending: QuiesceEnding = 'reached', delaySeconds = 0): DeviceCommand => ({
  kind: 'quiesce-domain',
  domain: 'A',
  timeoutSeconds: 60,
  delaySeconds,
  pace: pace(takesMs, ending),
});
const unquiesceA = (takesMs: number, ending: QuiesceEnding = 'reached'): DeviceCommand => ({
  kind: 'unquiesce-domain',
  domain: 'A',
  pace: pace(takesMs, ending),
});

describe('a domain', () => {
  test('goes down, stays down, and comes up as time passes', () => {
    const down = after(fresh(), quiesceA(300), START);
    expect(phases(down, START + 299)).toEqual(['normal', 'quiescing', 'normal']);
    expect(phases(down, START + 300)).toEqual(['normal', 'quiesced', 'normal']);
    const up = after(down, unquiesceA(200), START + 1000);
    expect(phases(up, START + 1199)).toEqual(['normal', 'unquiescing', 'normal']);
    expect(phases(up, START + 1200)).toEqual(['normal', 'normal', 'normal']);
  });

  test('is forced down when its time-out is over', () => {
    const down = after(fresh(), quiesceA(600_000), START);
    expect(phases(down, START + 59_999)[1]).toBe('quiescing');
    expect(phases(down, START + 60_000)[1]).toBe('quiesced');
  });

  test('waits for the delay before it goes down', () => {
    const down = after(fresh(), quiesceA(100, 'reached', 5), START);
    expect(phases(down, START + 5099)[1]).toBe('quiescing');
    expect(phases(down, START + 5100)[1]).toBe('quiesced');
  });

  test('that is already quiesced does not start over', () => {
    const down = after(fresh(), quiesceA(100), START);
    expect(after(down, quiesceA(100), START + 200)).toEqual(down);
  });

  test('that is not quiesced has nothing to undo', () => {
    expect(after(fresh(), unquiesceA(100), START)).toEqual(fresh());
  });

  test('can be turned back while it is still going down', () => {
    const down = after(fresh(), quiesceA(1000), START);
    const up = after(down, unquiesceA(100), START + 10);
    expect(phases(up, START + 50)[1]).toBe('unquiescing');
    expect(phases(up, START + 2000)[1]).toBe('normal');
  });

  test('that never gets down can be told again, and brought up', () => {
    const stuck = after(fresh(), quiesceA(10, 'never'), START);
    expect(phases(stuck, START + 1e9)[1]).toBe('quiescing');
    expect(phases(after(stuck, quiesceA(10), START + 100), START + 110)[1]).toBe('quiesced');
    expect(phases(after(stuck, unquiesceA(10), START + 100), START + 110)[1]).toBe('normal');
  });

  test('that never comes up does so when it is told again', () => {
    const down = after(fresh(), quiesceA(0), START);
    const stuck = after(down, unquiesceA(10, 'never'), START + 1);
    expect(phases(stuck, START + 1e9)[1]).toBe('unquiescing');
    expect(phases(after(stuck, unquiesceA(10), START + 50), START + 60)[1]).toBe('normal');
  });

  test('whose quiesce failed shows the error until it is brought up', () => {
    const failed = after(fresh(), quiesceA(10, 'error'), START);
    expect(phases(failed, START + 10)[1]).toBe('error');
    expect(phases(after(failed, unquiesceA(0), START + 20), START + 20)[1]).toBe('normal');
  });

  test('has unsaved changes until its configuration is saved', () => {
    const changed = after(fresh(), { kind: 'change-configuration', domain: 'A' }, START);
    expect(changed.domains.map(isSaveNeeded)).toEqual([false, true, false]);
    const saved = after(changed, { kind: 'save-configuration', domain: 'A' }, START);
    expect(saved.domains.map(isSaveNeeded)).toEqual([false, false, false]);
  });
});

describe('a device', () => {
  test('takes every domain but default down', () => {
    const down = after(
      fresh(),
      { kind: 'quiesce-device', timeoutSeconds: 60, delaySeconds: 0, pace: pace(10) },
      START,
    );
    expect(phases(down, START + 10)).toEqual(['normal', 'quiesced', 'quiesced']);
    const up = after(down, { kind: 'unquiesce-device', pace: pace(0) }, START + 20);
    expect(phases(up, START + 20)).toEqual(['normal', 'normal', 'normal']);
  });

  test('refuses to quiesce default and domains it does not have', () => {
    expect(stepDevice(fresh(), { ...quiesceA(0), domain: 'default' } as DeviceCommand, START)).toEqual({
      ok: false,
      refusal: 'DEFAULT_CANNOT_BE_QUIESCED',
    });
    expect(stepDevice(fresh(), { ...unquiesceA(0), domain: 'Z' } as DeviceCommand, START)).toEqual({
      ok: false,
      refusal: 'DOMAIN_UNKNOWN',
    });
  });

  test('shows a long command until it has ended', () => {
    const busy = after(
      fresh(),
      { kind: 'begin-command', domain: 'default', name: 'secure-backup', takesMs: 50 },
      START,
    );
    expect(currentCommand(busy, 'default', START + 49)).toBe('secure-backup');
    expect(currentCommand(busy, 'default', START + 50)).toBe('');
    expect(currentCommand(busy, 'A', START)).toBe('');
  });

  test('loses what was quiesced, unsaved and going on when it restarts', () => {
    let state = after(fresh(), quiesceA(0), START);
    state = after(state, { kind: 'change-configuration', domain: 'B' }, START);
    state = after(
      state,
      { kind: 'begin-command', domain: 'default', name: 'secure-backup', takesMs: 1e6 },
      START,
    );
    const restarted = after(state, { kind: 'reboot', downMs: 100 }, START + 5);
    expect(restarted).toEqual({ ...fresh(), bootedAt: START + 5, downUntilAt: START + 105 });
  });

  test('is never left with a quiesced default domain, whatever it is told', () => {
    const domain = fc.constantFrom('default', 'A', 'B', 'Z');
    const anyPace = fc.record({
      takesMs: fc.nat(1000),
      ending: fc.constantFrom<QuiesceEnding>('reached', 'never', 'error'),
    });
    const times = { timeoutSeconds: fc.nat(120), delaySeconds: fc.nat(2), pace: anyPace };
    const command: fc.Arbitrary<DeviceCommand> = fc.oneof(
      fc.record({ kind: fc.constant('quiesce-device' as const), ...times }),
      fc.record({ kind: fc.constant('quiesce-domain' as const), domain, ...times }),
      fc.record({ kind: fc.constant('unquiesce-device' as const), pace: anyPace }),
      fc.record({ kind: fc.constant('unquiesce-domain' as const), domain, pace: anyPace }),
      fc.record({ kind: fc.constant('reboot' as const), downMs: fc.nat(100) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(command, fc.nat(500))), (history) => {
        let state = fresh();
        let now = START;
        for (const [told, laterMs] of history) {
          now += laterMs;
          const step = stepDevice(state, told, now);
          state = step.ok ? step.state : state;
          expect(phases(state, now)[0]).toBe('normal');
          expect(state.domains.map(({ name }) => name)).toEqual(['default', 'A', 'B']);
        }
        const up = after(state, { kind: 'unquiesce-device', pace: pace(0) }, now);
        // One more request is enough to bring everything up, unless it is already coming up by itself.
        expect(phases(up, now).every((phase) => phase === 'normal' || phase === 'unquiescing')).toBe(true);
      }),
    );
  });
});
