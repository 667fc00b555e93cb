import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { registerRoute } from './register-route.ts';

/** Calls about tasks. */
export function taskRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'getTask', ({ params }) => application.getTask(params.id));
}
