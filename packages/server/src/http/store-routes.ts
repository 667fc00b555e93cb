import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { registerRoute } from './register-route.ts';

/** Calls about the store. */
export function storeRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'getStore', () => application.getStore());
  registerRoute(server, 'initStore', () => application.initStore());
  registerRoute(server, 'rescanStore', () => application.rescanStore());
}
