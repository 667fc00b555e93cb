import { describe, expect, it } from 'vitest';
import { evolveTask } from './evolve-task.ts';
import { nextTaskStep } from './next-task-step.ts';
import type { TaskSpec } from './task-spec.ts';
import { type TaskProgram, walkTask } from './testing/task-walk.ts';

const program: TaskProgram = { evolve: evolveTask, next: nextTaskStep };

const exportTask: TaskSpec = {
  taskId: 't',
  runId: 'r',
  action: 'EXPORT_DOMAIN',
  device: 'TEST8',
  domain: 'A',
  isAllDomains: false,
  isQuiesceAsked: true,
  secureBackup: null,
  preTaskScript: null,
  postTaskScript: null,
  errorPolicy: 'halt',
  retry: { attempts: 0, delaySeconds: 60 },
  window: null,
  limits: {
    quiesceTimeoutSeconds: 1,
    quiesceGraceSeconds: 1,
    unquiesceTimeoutSeconds: 2,
    unquiesceGraceSeconds: 2,
    settleMs: 2_000,
    pollMs: 1_000,
    queueMaxMs: 3_600_000,
    minFreeStorePercent: 10,
    minFreeTemporaryMb: 512,
    verifiesExportHashes: true,
  },
  queuedAt: 1_000_000_000_000,
};

const secureBackupTask: TaskSpec = {
  ...exportTask,
  action: 'SECURE_BACKUP',
  domain: null,
  secureBackup: { certificate: 'dr-cert', includesIscsi: false, includesRaid: false },
};

const oneMore = { attempts: 1, delaySeconds: 60 };

/** With little patience, for each wait counts twice. */
const triedAgain: TaskSpec = {
  ...exportTask,
  retry: oneMore,
  limits: {
    ...exportTask.limits,
    quiesceGraceSeconds: 0,
    unquiesceTimeoutSeconds: 1,
    unquiesceGraceSeconds: 1,
    settleMs: 1_000,
  },
};

/** Long enough to undo that an unquiesce without effect is sent again, more than once. */
const patientTask: TaskSpec = {
  ...exportTask,
  limits: {
    ...exportTask.limits,
    quiesceGraceSeconds: 0,
    unquiesceTimeoutSeconds: 40,
    unquiesceGraceSeconds: 30,
    settleMs: 1_000,
    pollMs: 31_000,
  },
};

const tasks: [string, TaskSpec, number][] = [
  ['export of a domain, quiesced', exportTask, 2],
  ['export of a domain, running', { ...exportTask, isQuiesceAsked: false }, 3],
  [
    'export of all domains, quiesced, with scripts',
    {
      ...exportTask,
      domain: 'all-domains',
      isAllDomains: true,
      preTaskScript: 'pre',
      postTaskScript: { script: 'post', when: 'always' },
    },
    1,
  ],
  ['secure backup, quiesced', secureBackupTask, 1],
  ['export of a domain, whose unquiesce is ignored', patientTask, 0],
  ['export of a domain, quiesced, tried again', triedAgain, 1],
  ['secure backup, running, tried again', { ...secureBackupTask, isQuiesceAsked: false, retry: oneMore }, 1],
];

/** Ways to write the saga wrongly; each must be found. */
const plantedFaults: [string, TaskProgram, TaskSpec?][] = [
  [
    'a closed window ends a task at once',
    {
      ...program,
      next: (state, now) =>
        state.spec.window !== null && state.pending === null && state.verdict === null
          ? { kind: 'finish', verdict: { status: 'CANCELLED', reason: null, warnings: [] } }
          : nextTaskStep(state, now),
    },
  ],
  [
    'a quiesce whose reply was lost counts as refused',
    {
      ...program,
      evolve: (state, fact) =>
        fact.type === 'settled' && fact.effect.type === 'quiesce' && !fact.reply.ok
          ? evolveTask(state, {
              ...fact,
              effect: fact.effect,
              reply: { ok: false, fault: { ...fact.reply.fault, effect: 'none' } },
            })
          : evolveTask(state, fact),
    },
  ],
  [
    'a look counts before the lost request has settled',
    {
      ...program,
      evolve: (state, fact) => {
        const next = evolveTask(state, fact);
        return {
          ...next,
          quiesce: { ...next.quiesce, settlesAt: 0 },
          undo: { ...next.undo, settlesAt: 0 },
        };
      },
    },
  ],
  [
    'who takes over forgets what was intended',
    {
      ...program,
      evolve: (state, fact) => {
        const next = evolveTask(state, fact);
        if (fact.type !== 'takenOver' || state.pending?.type !== 'quiesce') return next;
        return { ...next, quiesce: { ...next.quiesce, isOurs: false } };
      },
    },
  ],
  [
    'who takes over goes on with the waits of another clock',
    {
      ...program,
      evolve: (state, fact) => {
        const next = evolveTask(state, fact);
        if (fact.type !== 'takenOver' || state.pending !== null) return next;
        const { settlesAt } = state.quiesce;
        return { ...next, quiesce: { ...next.quiesce, settlesAt } };
      },
    },
  ],
  [
    'what somebody else has undone is undone again',
    {
      ...program,
      evolve: (state, fact) =>
        fact.type === 'told' && fact.command.type === 'released' ? state : evolveTask(state, fact),
    },
  ],
  [
    'an accepted unquiesce counts as seen running',
    {
      ...program,
      evolve: (state, fact) => {
        const next = evolveTask(state, fact);
        if (fact.type !== 'settled' || fact.effect.type !== 'unquiesce' || !fact.reply.ok) return next;
        return { ...next, quiesce: { ...next.quiesce, isReleased: true } };
      },
    },
  ],
  [
    'an unquiesce that is accepted again starts the waiting anew',
    {
      ...program,
      evolve: (state, fact) => {
        const next = evolveTask(state, fact);
        if (fact.type !== 'settled' || fact.effect.type !== 'unquiesce' || !fact.reply.ok) return next;
        return { ...next, undo: { ...next.undo, acceptedAt: fact.at } };
      },
    },
    patientTask,
  ],
  [
    'it is tried again before its quiesce is undone',
    {
      ...program,
      next: (state, now) => {
        const { attempt, failure, isStarted, pending, spec } = state;
        const isOver = isStarted && pending === null && failure?.status === 'FAILED';
        if (!isOver || attempt > spec.retry.attempts) return nextTaskStep(state, now);
        return { kind: 'later', note: { type: 'putOff', reason: failure.reason }, afterMs: 60_000 };
      },
    },
    triedAgain,
  ],
  [
    'it is tried again outside of its window',
    {
      ...program,
      next: (state, now) =>
        nextTaskStep(state.attempt > 1 ? { ...state, spec: { ...state.spec, window: null } } : state, now),
    },
    triedAgain,
  ],
  [
    'it is tried again after a cancel that came while it was undone',
    {
      ...program,
      evolve: (state, fact) => ({ ...evolveTask(state, fact), stop: null }),
    },
    triedAgain,
  ],
  [
    'what an attempt left in the store is forgotten by the next',
    {
      ...program,
      evolve: (state, fact) => {
        const next = evolveTask(state, fact);
        return fact.type === 'noted' && fact.note.type === 'putOff' ? { ...next, storeLitter: null } : next;
      },
    },
    { ...triedAgain, isQuiesceAsked: false },
  ],
];

describe('every reachable state of a task', () => {
  it.each(tasks)(
    'keeps the invariants: %s',
    (name, spec, crashes) => {
      const { states, ends, violation } = walkTask(program, spec, crashes);
      console.log(`walk: ${name}: ${states} states, ${ends} of them ends`);
      expect(violation).toBeNull();
      expect(states).toBeGreaterThan(spec.isQuiesceAsked ? 10_000 : 100);
    },
    300_000,
  );

  it.each(plantedFaults)('a planted fault is found: %s', (_, faulty, spec = exportTask) => {
    const { states, violation } = walkTask(faulty, spec, 2);
    console.log(`walk: found after ${states} states: ${violation?.split('\n')[0]}`);
    expect(violation).toMatch(/^I\d/);
  });
});
