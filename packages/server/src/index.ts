export { scriptCatalogue } from './adapters/script-catalogue.ts';
export { taskCatalogue } from './adapters/task-catalogue.ts';
export { openApiDocument } from './http/open-api-document.ts';
export { moverCatalogue } from './movers/mover-catalogue.ts';
export type { MoverOrder, MoverReply } from './movers/mover-orders.ts';
export { type MoverPool, openMoverPool } from './movers/mover-pool.ts';
export { type RunningServer, type ServerOptions, startServer } from './start-server.ts';
