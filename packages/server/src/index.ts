export { openApiDocument } from './http/open-api-document.ts';
export type { MoverOrder, MoverReply } from './movers/mover-orders.ts';
export { type MoverPool, openMoverPool } from './movers/mover-pool.ts';
