import { problemOf, type Refusal } from '@stillpoint/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ShapeRefused } from './shape-refused.ts';

/** Content type of every problem. */
export const problemContentType = 'application/problem+json; charset=utf-8';

/** Answers a request with the problem of a refusal. */
export function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const problem = problemOf(refusal);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="stillpoint"');
  return reply.code(problem.status).type(problemContentType).send(JSON.stringify(problem));
}

/** Answers whatever was thrown while a request was read or served; what nobody expected is logged and not shown. */
export function sendThrown(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error, request);
  if (refusal !== null) return sendProblem(reply, refusal);
  request.log.error({ err: error }, 'a request met a mistake of the server');
  const detail = `${request.method} ${pathOf(request)} was not served; its request id in the log is ${request.id}.`;
  return sendProblem(reply, { code: 'INTERNAL_ERROR', detail });
}

/** Path of a request without its query, cut to a length that can be shown. */
export function pathOf(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0] ?? '';
  return path.length > 200 ? `${path.slice(0, 200)}...` : path;
}

const partNames: Record<string, string> = { body: 'body', params: 'path', querystring: 'query' };

function refusalOf(error: unknown, request: FastifyRequest): Refusal | null {
  if (error instanceof ShapeRefused) {
    const part = partNames[error.validationContext ?? ''] ?? 'request';
    const first = error.errors[0];
    const more = error.errors.length > 1 ? ` (and ${error.errors.length - 1} more)` : '';
    const detail = `The ${part} is not valid: ${first?.path} ${first?.message}${more}.`;
    return { code: 'REQUEST_NOT_VALID', detail, errors: error.errors };
  }
  if (!(error instanceof Error)) return null;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return {
        code: 'BODY_TOO_LARGE',
        detail: `The body of ${request.method} ${pathOf(request)} is too large.`,
      };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'CONTENT_TYPE_NOT_SUPPORTED', detail: 'Only application/json is read.' };
    case 'FST_ERR_BAD_URL':
      return { code: 'REQUEST_NOT_VALID', detail: 'The path is not valid percent-encoding.' };
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { code: 'REQUEST_NOT_VALID', detail: 'A name in the path is too long.' };
    default:
  }
  if (code?.startsWith('FST_ERR_CTP_') === true || (error instanceof SyntaxError && statusCode === 400)) {
    const detail =
      'The body is not well-formed JSON, is empty, or has a key that is never taken, such as __proto__.';
    return { code: 'BODY_NOT_READABLE', detail };
  }
  return null;
}
