export { coreCatalogue, type ReasonCode } from './core-catalogue.ts';
export { channelsToTell, noticePolicy, pauseAfterTry } from './notice.ts';
export {
  channels,
  mailboxesOf,
  type NoticeParameters,
  noticeParametersInForce,
  parameterMissing,
  type SecretParameterName,
} from './parameters/notice-parameters.ts';
export type { ParameterDefinition } from './parameters/parameter-definition.ts';
export { type ParameterFacts, parameterFacts } from './parameters/parameter-facts.ts';
export {
  isParameterName,
  isSecretParameter,
  type ParameterName,
  type Parameters,
  parameterDefinitions,
  parametersInForce,
} from './parameters/parameters.ts';
export { estimateDuration, type TimedTask } from './plan/estimate-duration.ts';
export {
  devicesOfPlan,
  expandPlan,
  type Inventory,
  type KnownDevice,
  type TaskDraft,
  wantsDomain,
} from './plan/expand-plan.ts';
export {
  type Action,
  type Activity,
  ALL_DOMAINS,
  type Channel,
  completePlan,
  type ErrorPolicy,
  type KeptPlan,
  type MissedRuns,
  NO_RETRY,
  type NotifyWhen,
  type Overlap,
  type Plan,
  type Retry,
} from './plan/plan.ts';
export { devicesToAsk, repeatTasks, type TaskToRepeat } from './plan/repeat-tasks.ts';
export { validatePlan } from './plan/validate-plan.ts';
export { type Fault, type Reason, type Reply, reasonOf } from './reason.ts';
export type { Refusal } from './refusal.ts';
export { evolveRun } from './run/evolve-run.ts';
export { nextRunStep, type RunStep } from './run/next-run-step.ts';
export { checksOfParameters, checksOfStore, type RunCheck, type RunCheckName } from './run/run-checks.ts';
export { isRunLook, type RunEffect, type RunEffectType, type RunOutcomes } from './run/run-effect.ts';
export type { RunCommand, RunFact, RunSettled, RunVerdict } from './run/run-fact.ts';
export { runOutcome, type TaskCounts } from './run/run-outcome.ts';
export type { RunSpec, RunTrigger } from './run/run-spec.ts';
export { queuedRun, type RunState } from './run/run-state.ts';
export { describeSchedule } from './schedule/describe-schedule.ts';
export {
  type DueFires,
  decideFires,
  dueFires,
  type FireDecision,
  type LeftOutFires,
  MOST_FIRES_COUNTED,
  type UnfinishedRun,
} from './schedule/due-fires.ts';
export {
  firesBetween,
  nextFire,
  nextFires,
  parseSchedule,
  type Schedule,
  type ScheduleRefusal,
} from './schedule/schedule.ts';
export { evolveTask } from './task/evolve-task.ts';
export { nextTaskStep, type TaskStep } from './task/next-task-step.ts';
export { rowsInScope } from './task/rows-in-scope.ts';
export {
  type DeviceIdentity,
  type DomainRow,
  type ExportPart,
  type FetchedBackup,
  isLook,
  type PublishedFile,
  type TaskEffect,
  type TaskEffectType,
  type TaskOutcomes,
} from './task/task-effect.ts';
export {
  isSettled,
  type TaskCommand,
  type TaskFact,
  type TaskSettled,
  type TaskVerdict,
} from './task/task-fact.ts';
export {
  DEFAULT_DOMAIN,
  type KeptTaskSpec,
  type QuiesceScope,
  quiesceScopeOf,
  type TaskLimits,
  type TaskSpec,
} from './task/task-spec.ts';
export { isGuardNeeded, queuedTask, type TaskState } from './task/task-state.ts';
export { planWindow } from './window/plan-window.ts';
export { isTimezone, isWindowOpen, type MaintenanceWindow } from './window/window.ts';
export { nextWindowOpening, windowClosesAt } from './window/window-changes.ts';
