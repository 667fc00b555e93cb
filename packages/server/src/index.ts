export { LiveFleet } from './adapters/live-fleet.ts';
export { noticeCatalogue } from './adapters/notices/notice-catalogue.ts';
export type { NoticeSettings } from './adapters/notices/notice-settings.ts';
export { type NotifierTools, openNotifiers } from './adapters/notices/open-notifiers.ts';
export { scriptCatalogue } from './adapters/script-catalogue.ts';
export { taskCatalogue } from './adapters/task-catalogue.ts';
export { alarmCatalogue } from './app/alarm-catalogue.ts';
export type { NoticeContent, Notifier, RunDigest, Sent } from './app/notifier.ts';
export { openApiDocument } from './http/open-api-document.ts';
export { moverCatalogue } from './movers/mover-catalogue.ts';
export type { MoverOrder, MoverReply } from './movers/mover-orders.ts';
export { type MoverPool, openMoverPool } from './movers/mover-pool.ts';
export { type ComposedPrograms, composePrograms } from './programs/compose-programs.ts';
export type { Conversation, Conversations } from './programs/conversation.ts';
export { LatestParameters } from './programs/latest-parameters.ts';
export type {
  NewGuard,
  NewTask,
  Orphan,
  OrphanClaim,
  OrphanTry,
  Records,
  Scripts,
  TargetStore,
  TaskBackup,
} from './programs/ports.ts';
export { type RunningServer, type ServerOptions, startServer } from './start-server.ts';
