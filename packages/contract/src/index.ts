export {
  type Activity,
  type ActivityDefinition,
  activityDefinitionShape,
  activityShape,
} from './activity.ts';
export { type Acknowledgement, type Alarm, type AlarmQuery, alarmShape } from './alarm.ts';
export type { Answer } from './answer.ts';
export {
  type ApplyDocument,
  type ApplyDocumentInput,
  type ApplyOutcome,
  applyDocumentShape,
  applyOutcomeShape,
} from './apply-document.ts';
export { type Backup, type BackupQuery, backupShape } from './backup.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export {
  type Device,
  type DeviceDefinition,
  type DeviceTest,
  deviceDefinitionShape,
  deviceShape,
  deviceTestShape,
} from './device.ts';
export { type ExitCode, exitCode, exitCodeOfRun } from './exit-code.ts';
export { exitCodeOfProblem } from './exit-code-of-problem.ts';
export { type File, fileShape } from './file.ts';
export {
  type Guard,
  guardShape,
  type UnquiesceOutcome,
  type UnquiesceRequest,
  unquiesceOutcomeShape,
} from './guard.ts';
export { type Health, healthShape } from './health.ts';
export { type Node, nodeShape } from './node.ts';
export {
  type Notice,
  type NoticeQuery,
  type NoticeTest,
  type NoticeTestRequest,
  noticeShape,
  noticeTestShape,
} from './notice.ts';
export {
  type ChangedParameter,
  type ChangedParameterQuery,
  changedParameterShape,
  type Parameter,
  type ParameterValue,
  parameterShape,
  parameterValueShape,
} from './parameter.ts';
export { jsonPointer, parseShape, type ShapeOutcome } from './parse-shape.ts';
export {
  type LeftOutFires,
  leftOutFiresShape,
  type Plan,
  type PlanDefinition,
  planDefinitionShape,
  planShape,
} from './plan.ts';
export { type PlanCalendar, type PlanCalendarQuery, planCalendarShape } from './plan-calendar.ts';
export { type PlanPreview, planPreviewShape } from './plan-preview.ts';
export { type FieldError, type Problem, problemOf, problemShape, type Refusal } from './problem.ts';
export { type ProblemCode, problemCatalogue } from './problem-catalogue.ts';
export type { Route } from './route.ts';
export type { RouteInput, RouteName, RouteReply, RouteRequest } from './route-types.ts';
export { apiPrefix, routes } from './routes.ts';
export {
  type RerunRequest,
  type Run,
  type RunQuery,
  type RunRequest,
  type RunStatus,
  runShape,
} from './run.ts';
export {
  type ScriptKind,
  type ScriptList,
  type ScriptOutput,
  type ScriptTest,
  type ScriptTestRequest,
  scriptKindShape,
  scriptListShape,
  scriptOutputShape,
  scriptTestShape,
} from './script.ts';
export { type Step, stepShape } from './step.ts';
export { type Rescan, rescanShape, type Store, storeShape } from './store.ts';
export {
  type Task,
  type TaskDetail,
  type TaskQuery,
  type TaskStatus,
  taskDetailShape,
  taskShape,
} from './task.ts';
