import { z } from 'zod';
import { acknowledgementShape, alarmQueryShape, alarmShape } from './alarm.ts';
import { applyDocumentShape, applyOutcomeShape, applyQueryShape } from './apply-document.ts';
import { backupQueryShape, backupShape } from './backup.ts';
import { deviceShape, deviceTestShape } from './device.ts';
import { guardShape, unquiesceOutcomeShape, unquiesceRequestShape } from './guard.ts';
import { healthShape } from './health.ts';
import { identifierShape } from './identifier.ts';
import { nodeShape } from './node.ts';
import { noticeQueryShape, noticeShape, noticeTestRequestShape, noticeTestShape } from './notice.ts';
import { objectNameShape } from './object-name.ts';
import { listShape, pageShape } from './page.ts';
import {
  changedParameterQueryShape,
  changedParameterShape,
  parameterChangeShape,
  parameterNameShape,
  parameterShape,
} from './parameter.ts';
import { planDefinitionShape, planShape } from './plan.ts';
import { planCalendarQueryShape, planCalendarShape } from './plan-calendar.ts';
import { planPreviewShape } from './plan-preview.ts';
import type { Route } from './route.ts';
import { rerunRequestShape, runQueryShape, runRequestShape, runShape } from './run.ts';
import {
  scriptListShape,
  scriptNameShape,
  scriptOutputShape,
  scriptTestRequestShape,
  scriptTestShape,
} from './script.ts';
import { rescanShape, storeShape } from './store.ts';
import { taskDetailShape, taskQueryShape, taskShape } from './task.ts';

/** What stands before every path of the table. */
export const apiPrefix = '/api/v1';

const byDeviceName = z.strictObject({ name: objectNameShape });
const byPlanName = z.strictObject({ name: objectNameShape });
const byNodeName = z.strictObject({ name: objectNameShape });
const byParameterName = z.strictObject({ name: parameterNameShape });
const byScriptName = z.strictObject({ name: scriptNameShape });
const byId = z.strictObject({ id: identifierShape });

/** Every call of the API. */
export const routes = {
  getHealth: {
    method: 'GET',
    path: '/health',
    noun: 'health',
    summary: 'Tell that the server answers; needs no token',
    replies: { 200: healthShape },
    problems: [],
    isPublic: true,
  },
  listDevices: {
    method: 'GET',
    path: '/devices',
    noun: 'device',
    summary: 'List every device, by name',
    replies: { 200: listShape(deviceShape) },
    problems: [],
  },
  testDevice: {
    method: 'POST',
    path: '/devices/{name}/test',
    noun: 'device',
    summary: 'Look whether a device can be backed up, and say what is wrong',
    params: byDeviceName,
    replies: { 200: deviceTestShape },
    problems: ['DEVICE_NOT_FOUND'],
  },
  listPlans: {
    method: 'GET',
    path: '/plans',
    noun: 'plan',
    summary: 'List every plan, by name',
    replies: { 200: listShape(planShape) },
    problems: [],
  },
  getPlan: {
    method: 'GET',
    path: '/plans/{name}',
    noun: 'plan',
    summary: 'Show a plan with its next fires',
    params: byPlanName,
    replies: { 200: planShape },
    problems: ['PLAN_NOT_FOUND'],
  },
  previewPlan: {
    method: 'POST',
    path: '/plans/{name}/preview',
    noun: 'plan',
    summary: 'Show which tasks a run of the plan would have now, without starting one',
    params: byPlanName,
    replies: { 200: planPreviewShape },
    problems: ['PLAN_NOT_FOUND'],
  },
  previewDefinition: {
    method: 'POST',
    path: '/plan-previews',
    noun: 'plan',
    summary: 'Show what a run of a plan that is not saved would do now; nothing is kept',
    body: planDefinitionShape,
    replies: { 200: planPreviewShape },
    problems: ['DOCUMENT_REFUSED'],
  },
  getPlanCalendar: {
    method: 'GET',
    path: '/plan-calendar',
    noun: 'plan',
    summary:
      'List the fires that are to come, over all enabled plans, and whether their windows are open then',
    query: planCalendarQueryShape,
    replies: { 200: planCalendarShape },
    problems: [],
  },
  runPlan: {
    method: 'POST',
    path: '/plans/{name}/runs',
    noun: 'plan',
    summary: 'Put a run of the plan into the queue',
    params: byPlanName,
    body: runRequestShape,
    replies: { 202: runShape },
    problems: ['PLAN_NOT_FOUND', 'PLAN_NOT_RUNNABLE'],
  },
  listRuns: {
    method: 'GET',
    path: '/runs',
    noun: 'run',
    summary: 'List runs, newest first',
    query: runQueryShape,
    replies: { 200: pageShape(runShape) },
    problems: ['CURSOR_NOT_VALID'],
  },
  getRun: {
    method: 'GET',
    path: '/runs/{id}',
    noun: 'run',
    summary: 'Show a run with its counters',
    params: byId,
    replies: { 200: runShape },
    problems: ['RUN_NOT_FOUND'],
  },
  listTasks: {
    method: 'GET',
    path: '/runs/{id}/tasks',
    noun: 'run',
    summary: 'List the tasks of a run, in creation order',
    params: byId,
    query: taskQueryShape,
    replies: { 200: pageShape(taskShape) },
    problems: ['RUN_NOT_FOUND', 'CURSOR_NOT_VALID'],
  },
  listRunScripts: {
    method: 'GET',
    path: '/runs/{id}/scripts',
    noun: 'run',
    summary: "Show what the scripts of the run's plan printed; those of its tasks are shown with the task",
    params: byId,
    replies: { 200: listShape(scriptOutputShape) },
    problems: ['RUN_NOT_FOUND'],
  },
  cancelRun: {
    method: 'POST',
    path: '/runs/{id}/cancel',
    noun: 'run',
    summary: 'Cancel waiting tasks at once and going ones at their next safe point',
    params: byId,
    replies: { 202: runShape },
    problems: ['RUN_NOT_FOUND', 'RUN_ALREADY_ENDED'],
  },
  rerunRun: {
    method: 'POST',
    path: '/runs/{id}/rerun',
    noun: 'run',
    summary: 'Put a run into the queue that does again what failed in this one, with the plan as it was then',
    params: byId,
    body: rerunRequestShape,
    replies: { 202: runShape },
    problems: ['RUN_NOT_FOUND', 'RUN_NOT_ENDED', 'NOTHING_TO_REPEAT'],
  },
  getTask: {
    method: 'GET',
    path: '/tasks/{id}',
    noun: 'task',
    summary: 'Show a task with its recorded steps',
    params: byId,
    replies: { 200: taskDetailShape },
    problems: ['TASK_NOT_FOUND'],
  },
  listBackups: {
    method: 'GET',
    path: '/backups',
    noun: 'backup',
    summary: 'List published backups, newest first',
    query: backupQueryShape,
    replies: { 200: pageShape(backupShape) },
    problems: ['CURSOR_NOT_VALID'],
  },
  listParameters: {
    method: 'GET',
    path: '/parameters',
    noun: 'parameter',
    summary: 'List every system parameter',
    replies: { 200: listShape(parameterShape) },
    problems: [],
  },
  getParameter: {
    method: 'GET',
    path: '/parameters/{name}',
    noun: 'parameter',
    summary: 'Show a system parameter',
    params: byParameterName,
    replies: { 200: parameterShape },
    problems: ['PARAMETER_NOT_FOUND'],
  },
  setParameter: {
    method: 'PUT',
    path: '/parameters/{name}',
    noun: 'parameter',
    summary: 'Set a system parameter',
    params: byParameterName,
    body: parameterChangeShape,
    replies: { 200: parameterShape },
    problems: ['PARAMETER_NOT_FOUND', 'PARAMETER_REFUSED'],
  },
  listChangedParameters: {
    method: 'GET',
    path: '/parameter-changes',
    noun: 'parameter',
    summary: 'List who changed which parameter from what to what, newest first; never a secret',
    query: changedParameterQueryShape,
    replies: { 200: pageShape(changedParameterShape) },
    problems: ['CURSOR_NOT_VALID'],
  },
  applyDocument: {
    method: 'POST',
    path: '/apply',
    noun: 'apply',
    summary: 'Make parameters, devices and plans as the document says; all of it or nothing',
    query: applyQueryShape,
    body: applyDocumentShape,
    replies: { 200: applyOutcomeShape },
    problems: ['DOCUMENT_REFUSED'],
    bodyLimitBytes: 16 * 1024 * 1024,
  },
  getStore: {
    method: 'GET',
    path: '/store',
    noun: 'store',
    summary: 'Look at the store',
    replies: { 200: storeShape },
    problems: [],
  },
  initStore: {
    method: 'POST',
    path: '/store/init',
    noun: 'store',
    summary: 'Write the marker of this installation into the store; a second time changes nothing',
    replies: { 200: storeShape },
    problems: ['STORE_PATH_NOT_SET', 'STORE_NOT_USABLE', 'STORE_NOT_RESPONDING'],
  },
  rescanStore: {
    method: 'POST',
    path: '/store/rescan',
    noun: 'store',
    summary: 'Rebuild the catalogue of backups from the disk',
    replies: { 200: rescanShape },
    problems: ['STORE_PATH_NOT_SET', 'STORE_NOT_USABLE', 'STORE_BUSY', 'STORE_NOT_RESPONDING'],
  },
  listScripts: {
    method: 'GET',
    path: '/scripts',
    noun: 'script',
    summary: 'List the files of the scripts folder of the node that answers, by name',
    replies: { 200: scriptListShape },
    problems: [],
  },
  testScript: {
    method: 'POST',
    path: '/scripts/{name}/test',
    noun: 'script',
    summary: 'Run a script with sample data on the node that answers, for a minute at most',
    params: byScriptName,
    body: scriptTestRequestShape,
    replies: { 200: scriptTestShape },
    problems: [],
  },
  listGuards: {
    method: 'GET',
    path: '/guards',
    noun: 'guard',
    summary: 'List what Stillpoint has quiesced, or may have, and not yet seen running again',
    replies: { 200: listShape(guardShape) },
    problems: [],
  },
  unquiesceGuard: {
    method: 'POST',
    path: '/guards/{id}/unquiesce',
    noun: 'guard',
    summary:
      'Look at what an ended task left quiesced and unquiesce it now, whatever the pace of the retries',
    params: byId,
    body: unquiesceRequestShape,
    replies: { 200: unquiesceOutcomeShape },
    problems: ['GUARD_NOT_FOUND', 'GUARD_ALREADY_RELEASED', 'GUARD_HAS_OWNER', 'GUARD_BUSY'],
  },
  listNodes: {
    method: 'GET',
    path: '/nodes',
    noun: 'node',
    summary: 'List the nodes that share the database, by name; those gone for 30 days are left out',
    replies: { 200: listShape(nodeShape) },
    problems: [],
  },
  drainNode: {
    method: 'POST',
    path: '/nodes/{name}/drain',
    noun: 'node',
    summary: 'Let a node begin nothing more; what is going on there goes on. Its next start ends it',
    params: byNodeName,
    replies: { 200: nodeShape },
    problems: ['NODE_NOT_FOUND', 'NODE_NOT_RUNNING'],
  },
  resumeNode: {
    method: 'POST',
    path: '/nodes/{name}/resume',
    noun: 'node',
    summary: 'Let a node begin work again',
    params: byNodeName,
    replies: { 200: nodeShape },
    problems: ['NODE_NOT_FOUND', 'NODE_NOT_RUNNING'],
  },
  listAlarms: {
    method: 'GET',
    path: '/alarms',
    noun: 'alarm',
    summary: 'List what is wrong and wants a human, newest first',
    query: alarmQueryShape,
    replies: { 200: pageShape(alarmShape) },
    problems: ['CURSOR_NOT_VALID'],
  },
  acknowledgeAlarm: {
    method: 'POST',
    path: '/alarms/{id}/acknowledge',
    noun: 'alarm',
    summary: 'Say that somebody has seen an alarm; it stays open until it is no longer so',
    params: byId,
    body: acknowledgementShape,
    replies: { 200: alarmShape },
    problems: ['ALARM_NOT_FOUND'],
  },
  listNotices: {
    method: 'GET',
    path: '/notices',
    noun: 'notice',
    summary: 'List what was told by mail, syslog and webhook, or is to be, newest first',
    query: noticeQueryShape,
    replies: { 200: pageShape(noticeShape) },
    problems: ['CURSOR_NOT_VALID'],
  },
  retryNotice: {
    method: 'POST',
    path: '/notices/{id}/retry',
    noun: 'notice',
    summary: 'Try to deliver a notice now, also one that was given up',
    params: byId,
    replies: { 200: noticeShape },
    problems: ['NOTICE_NOT_FOUND', 'NOTICE_ALREADY_DELIVERED'],
  },
  testNotices: {
    method: 'POST',
    path: '/notices/test',
    noun: 'notice',
    summary: 'Send a notice that says nothing, at once, and tell what came of it',
    body: noticeTestRequestShape,
    replies: { 200: noticeTestShape },
    problems: [],
  },
} as const satisfies Record<string, Route>;
