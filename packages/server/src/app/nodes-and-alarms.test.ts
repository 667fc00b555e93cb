import type { Alarm, AlarmQuery, Node } from '@stillpoint/contract';
import { describe, expect, it } from 'vitest';
import { createApplication, type Ports } from './create-application.ts';

const at = '2026-03-29T01:00:00.000Z';

const node = (name: string, state: Node['state']): Node => ({
  id: name,
  name,
  state,
  isAnswering: false,
  version: '1.2.3',
  pid: 1,
  url: null,
  devicesParallel: 16,
  tasksGoing: 0,
  startedAt: at,
  heartbeatAt: at,
  heartbeatAgeMs: 0,
  stoppedAt: null,
  sentence: `${name} is ${state}.`,
});

const alarm: Alarm = {
  id: 'a1',
  code: 'NODE_NOT_HEARD_OF',
  subject: { kind: 'node', name: 'n1' },
  sentence: 'It is silent.',
  lastProblem: null,
  remedy: 'Look.',
  openedAt: at,
  lastSeenAt: at,
  closedAt: null,
  acknowledgement: null,
};

/** An application with two nodes, one of which has stopped, and one alarm. */
function application() {
  const states = new Map<string, Node['state']>([
    ['n1', 'running'],
    ['n2', 'stopped'],
  ]);
  const nodes: Ports['nodes'] = {
    list: async () => [...states].map(([name, state]) => node(name, state)),
    async setDraining(name, isDraining) {
      const state = states.get(name);
      if (state === undefined) return 'unknown';
      if (state === 'stopped') return 'stopped';
      states.set(name, isDraining ? 'draining' : 'running');
      return 'done';
    },
  };
  const alarms: Ports['alarms'] = {
    page: async ({ cursor }) => (cursor === 'bad' ? null : { items: [alarm], nextCursor: null }),
    acknowledge: async (id, by, note) =>
      id === alarm.id ? { ...alarm, acknowledgement: { at, by, note } } : null,
  };
  return createApplication({ nodes, alarms } as unknown as Ports);
}

describe('a node', () => {
  it('drains and works again, and is shown as it is then', async () => {
    const app = application();
    expect(await app.drainNode('n1')).toMatchObject({ ok: true, value: { name: 'n1', state: 'draining' } });
    expect(await app.resumeNode('n1')).toMatchObject({ ok: true, value: { name: 'n1', state: 'running' } });
    expect(await app.listNodes()).toMatchObject({ ok: true, value: [{ name: 'n1' }, { name: 'n2' }] });
  });

  it.each(['drainNode', 'resumeNode'] as const)(
    'that has stopped, or is unknown, is refused: %s',
    async (verb) => {
      const app = application();
      expect(await app[verb]('n2')).toEqual({
        ok: false,
        problem: { code: 'NODE_NOT_RUNNING', detail: 'The node "n2" has stopped.' },
      });
      expect(await app[verb]('N1')).toEqual({
        ok: false,
        problem: { code: 'NODE_NOT_FOUND', detail: 'There is no node "N1".' },
      });
    },
  );
});

describe('an alarm', () => {
  const query: AlarmQuery = { state: 'open', limit: 10 };

  it('is listed, unless the cursor is not one of ours', async () => {
    const app = application();
    expect(await app.listAlarms(query)).toEqual({ ok: true, value: { items: [alarm], nextCursor: null } });
    const refused = await app.listAlarms({ ...query, cursor: 'bad' });
    expect(refused).toMatchObject({ ok: false, problem: { code: 'CURSOR_NOT_VALID' } });
  });

  it('is acknowledged by the operator, with a note or without', async () => {
    const app = application();
    for (const note of ['seen', undefined]) {
      expect(await app.acknowledgeAlarm('a1', { note })).toMatchObject({
        ok: true,
        value: { closedAt: null, acknowledgement: { by: 'operator', note: note ?? null } },
      });
    }
    const refused = await app.acknowledgeAlarm('a2', {});
    expect(refused).toMatchObject({ ok: false, problem: { code: 'ALARM_NOT_FOUND' } });
  });
});
