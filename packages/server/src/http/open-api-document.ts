import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { Application } from '../app/application.ts';
import { createHttpServer } from './create-http-server.ts';

/** The OpenAPI 3.1 document of the API, without an application behind it; its routes are described and never called. */
export async function openApiDocument(version: string): Promise<object> {
  const server = createHttpServer({} as Application, {
    token: randomUUID(),
    logger: pino({ level: 'silent' }),
    version,
  });
  await server.ready();
  const document = server.swagger();
  await server.close();
  return document;
}
