import type { Socket } from 'node:net';
import { problemOf } from '@stillpoint/contract';
import { problemContentType } from './problem-reply.ts';

/** Answers bytes that are not an HTTP request, and closes the connection. */
export function unreadableRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable && socket.bytesWritten === 0) {
    const problem = problemOf({
      code: 'REQUEST_NOT_VALID',
      detail: 'What was sent is not a readable HTTP request.',
    });
    const body = JSON.stringify(problem);
    socket.write(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: ${problemContentType}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
