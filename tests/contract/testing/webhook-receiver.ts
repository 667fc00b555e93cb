import { createServer, type IncomingHttpHeaders } from 'node:http';
import { listen, type OpenServer } from './open-servers.ts';

/** What a receiver of webhooks was sent. */
export type Posted = {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: {
    readonly id: string;
    readonly event: string;
    readonly run?: { readonly id: string; readonly status: string };
  };
};

/** Takes webhooks on a port and answers each with 200. */
export async function startWebhookReceiver(port = 0): Promise<OpenServer & { readonly posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const { method = '', headers } = request;
      posted.push({ method, headers, text, body: text === '' ? {} : JSON.parse(text) });
      response.writeHead(200).end();
    });
  });
  return { ...(await listen(server, port)), posted };
}
