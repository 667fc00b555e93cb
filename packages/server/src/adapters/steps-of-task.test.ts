import { type Fault, reasonOf, type TaskCommand, type TaskEffect, type TaskFact } from '@stillpoint/core';
import { expect, it } from 'vitest';
import { stepsOfTask } from './steps-of-task.ts';

const quiesce: TaskEffect = { type: 'quiesce', scope: { kind: 'device' }, timeoutSeconds: 120 };
const look: TaskEffect = { type: 'look' };
const reason = reasonOf('EXECUTION_CANCELED_BY_OPERATOR', 'An operator cancelled the run.');
const cancel: TaskCommand = { type: 'cancel', status: 'CANCELLED', sparesStarted: false, reason };

const intended = (at: number, effect: TaskEffect): TaskFact => ({ type: 'intended', at, effect });
const settled = (at: number, effect: TaskEffect, fault: Fault | null = null): TaskFact =>
  ({
    type: 'settled',
    at,
    effect,
    reply: fault === null ? { ok: true, value: null } : { ok: false, fault },
  }) as TaskFact;
const faultOf = (effect: Fault['effect']): Fault => ({
  code: 'X',
  effect,
  retryable: true,
  detail: 'It was refused.',
});

/** The steps with instants as milliseconds, short enough to read. */
const shown = (...facts: TaskFact[]) =>
  stepsOfTask(facts).map(
    ({ name, startedAt, endedAt, outcome, detail }) =>
      [name, Date.parse(startedAt), endedAt === null ? null : Date.parse(endedAt), outcome, detail] as const,
  );

it('a task that has not begun has no steps', () => {
  expect(shown()).toEqual([]);
  expect(shown({ type: 'noted', at: 1, note: { type: 'started' } })).toEqual([]);
});

it('a step begins with its intent and ends with its outcome', () => {
  expect(shown(intended(1, quiesce))).toEqual([['quiesce', 1, null, 'running', null]]);
  expect(shown(intended(1, quiesce), settled(5, quiesce))).toEqual([['quiesce', 1, 5, 'succeeded', null]]);
});

it('a step that was refused has failed, one whose reply never came is unknown', () => {
  const refused = shown(intended(1, quiesce), settled(5, quiesce, faultOf('none')));
  expect(refused).toEqual([['quiesce', 1, 5, 'failed', 'It was refused.']]);
  const lost = shown(intended(1, quiesce), settled(5, quiesce, faultOf('unknown')));
  expect(lost).toEqual([['quiesce', 1, 5, 'unknown', 'It was refused.']]);
});

it('a look is a moment, for no intent is recorded before it', () => {
  expect(shown(settled(3, look), settled(4, look, faultOf('none')))).toEqual([
    ['look', 3, 3, 'succeeded', null],
    ['look', 4, 4, 'failed', 'It was refused.'],
  ]);
});

it('a cancel in the middle of a step does not keep the step from ending', () => {
  const facts = [
    intended(1, quiesce),
    { type: 'told', at: 2, command: cancel } as const,
    settled(5, quiesce),
  ];
  expect(shown(...facts)).toEqual([
    ['quiesce', 1, 5, 'succeeded', null],
    ['cancel', 2, 2, 'succeeded', 'An operator cancelled the run.'],
  ]);
});

it('a step that a server died in is unknown from the take-over on', () => {
  const facts = [
    intended(1, quiesce),
    { type: 'told', at: 2, command: cancel } as const,
    { type: 'takenOver', at: 9 } as const,
    settled(10, look),
  ];
  expect(shown(...facts)).toEqual([
    ['quiesce', 1, 9, 'unknown', 'The server stopped.'],
    ['cancel', 2, 2, 'succeeded', 'An operator cancelled the run.'],
    ['takeOver', 9, 9, 'succeeded', null],
    ['look', 10, 10, 'succeeded', null],
  ]);
});

it('a device that was set moving by somebody else is said to be', () => {
  const told = { type: 'told', at: 7, command: { type: 'released' } } as const;
  expect(shown(told)).toEqual([
    ['release', 7, 7, 'succeeded', 'The device was set moving again for this task.'],
  ]);
});

it('a wait that was given up says on what', () => {
  const note = {
    type: 'gaveUp',
    on: 'unquiesce',
    reason: reasonOf('UNQUIESCE_TIMEOUT', 'Too slow.'),
  } as const;
  expect(shown({ type: 'noted', at: 3, note })).toEqual([
    ['wait for unquiesce', 3, 3, 'failed', 'Too slow.'],
  ]);
});

it('the end of a task is no step', () => {
  const verdict = { status: 'SUCCEEDED', reason: null, warnings: [] } as const;
  expect(shown({ type: 'ended', at: 9, verdict })).toEqual([]);
});

it('each step says which attempt it belongs to, and who begins the next one takes nothing over', () => {
  const facts: TaskFact[] = [
    settled(1, look, faultOf('none')),
    { type: 'noted', at: 2, note: { type: 'putOff', reason }, putOffMs: 60 },
    { type: 'takenOver', at: 62 },
    { type: 'noted', at: 63, note: { type: 'started' } },
    intended(64, quiesce),
    { type: 'takenOver', at: 65 },
  ];
  expect(stepsOfTask(facts).map(({ name, attempt, outcome }) => [name, attempt, outcome])).toEqual([
    ['look', 1, 'failed'],
    ['putOff', 1, 'failed'],
    ['quiesce', 2, 'unknown'],
    ['takeOver', 2, 'succeeded'],
  ]);
});
