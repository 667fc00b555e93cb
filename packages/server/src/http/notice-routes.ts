import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { registerRoute } from './register-route.ts';

/** Calls about what is told by mail, syslog and webhook. */
export function noticeRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listNotices', ({ query }) => application.listNotices(query));
  registerRoute(server, 'retryNotice', ({ params }) => application.retryNotice(params.id));
  registerRoute(server, 'testNotices', ({ body }) => application.testNotices(body));
}
