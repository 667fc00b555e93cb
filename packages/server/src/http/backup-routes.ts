import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { registerRoute } from './register-route.ts';

/** Calls about backups. */
export function backupRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listBackups', ({ query }) => application.listBackups(query));
}
