import type { FastifyInstance } from 'fastify';
import { registerRoute } from './register-route.ts';

/** The call that anybody may make. */
export function healthRoutes(server: FastifyInstance, version: string): void {
  registerRoute(server, 'getHealth', async () => ({ ok: true, value: { status: 'ok' as const, version } }));
}
