import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** How the server is to be started. */
export type ServeOptions = {
  /** Absolute. */
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly level: string;
  readonly nodeName: string | null;
};

type Read =
  | { readonly kind: 'options'; readonly options: ServeOptions }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'usage'; readonly problem: string; readonly usage: string };

const USAGE = `Usage: stillpoint serve [--data DIRECTORY] [--host ADDRESS] [--port PORT] [--node-name NAME]
                        [--log-level LEVEL]

Serves the API until it is told to stop (SIGINT, SIGTERM).

  --data DIRECTORY   where the server keeps its own files
                     (STILLPOINT_DATA, or ~/.local/share/stillpoint)
  --host ADDRESS     address to listen on (127.0.0.1)
  --port PORT        port to listen on (7420); 0 for any
  --node-name NAME   what "node list" calls this server
                     (STILLPOINT_NODE_NAME, or the name of the host)
  --log-level LEVEL  trace, debug, info, warn, error or silent (info)

An external PostgreSQL (15 or later) is used when DATABASE_URL is set. Several servers may share it: each on a data
directory of its own, all with the same STILLPOINT_SECRET_KEY.

A server that is told to stop ends what goes on at once, as INTERRUPTED, and undoes it. To stop one without that,
"stillpoint node drain NAME" first, and wait until "stillpoint node list" shows no task there.
`;

/** Letters, digits, `.`, `_` and `-`, as hosts have them. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const LEVELS: ReadonlySet<string> = new Set(['trace', 'debug', 'info', 'warn', 'error', 'silent']);

/** Reads the command line of `stillpoint serve`; what it does not name comes from the environment. */
export function readServeOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Read {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '7420' },
        'node-name': { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      return { kind: 'help', text: USAGE };
    }
    if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535)
      throw new Error(`"${values.port}" is not a port.`);
    if (!LEVELS.has(values['log-level'])) throw new Error(`"${values['log-level']}" is not a log level.`);
    const nodeName = values['node-name'] ?? environment.STILLPOINT_NODE_NAME ?? null;
    if (nodeName !== null && !NODE_NAME.test(nodeName))
      throw new Error(`"${nodeName}" is not a name of a node.`);
    const share = environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
    const data = values.data ?? environment.STILLPOINT_DATA ?? join(share, 'stillpoint');
    const options = { host: values.host, port: Number(values.port), level: values['log-level'], nodeName };
    return { kind: 'options', options: { data: resolve(data), ...options } };
  } catch (error) {
    return { kind: 'usage', problem: error instanceof Error ? error.message : String(error), usage: USAGE };
  }
}
