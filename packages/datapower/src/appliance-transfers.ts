import type { Appliance, Transferred } from './appliance.ts';
import { type Fault, failed, good, type Reply } from './fault.ts';
import type { FileSink } from './reply-receiver.ts';
import type { Answered, CallOptions, Deadlines, Session } from './session.ts';
import { printable } from './wire/printable.ts';
import { requests } from './wire/requests.ts';

const ENVELOPE_MAX_BYTES = 1024 * 1024;

/** The operations that stream one large file out of the appliance. */
export function applianceTransfers(
  session: Session,
  deadlines: Deadlines,
): Pick<Appliance, 'backUpDomains' | 'readFile'> {
  const fetch = (build: () => string, sink: FileSink, options: CallOptions | undefined) =>
    session.ask({
      ...options,
      build,
      sink,
      kind: 'read',
      usualDeadlineMs: deadlines.transferMs,
      envelopeMaxBytes: ENVELOPE_MAX_BYTES,
    });
  return {
    async backUpDomains(order, sink, options) {
      return transferred(await fetch(() => requests.doBackup(order), sink, options));
    },
    async readFile(url, sink, options) {
      const reply = await fetch(() => requests.getFile(url), sink, options);
      // With this request, plain text in place of a file is always about that file.
      if (!reply.ok && reply.fault.code === 'OPERATION_FAILED') return notReadable(reply.fault, url);
      return transferred(reply, url);
    },
  };
}

function transferred(reply: Reply<Answered>, url?: string): Reply<Transferred> {
  if (!reply.ok) return reply;
  const { content, fileSizeBytes } = reply.value;
  if (content?.name !== 'file') {
    const detail = `The appliance answered with ${content?.name ?? 'OK'} instead of a file.`;
    return failed({ code: 'REPLY_UNEXPECTED', detail }, 'none');
  }
  const name = content.element.attributes.get('name');
  if (url !== undefined && name !== undefined && plainUrl(name) !== plainUrl(url)) {
    const detail = `The appliance answered with ${printable(name)} instead of ${printable(url)}.`;
    return failed({ code: 'FILE_NAME_MISMATCH', detail }, 'none');
  }
  if (fileSizeBytes === 0) {
    return failed({ code: 'EMPTY_FILE', detail: 'The appliance answered with an empty file.' }, 'none');
  }
  return good({ sizeBytes: fileSizeBytes });
}

function notReadable(fault: Fault, url: string): Reply<never> {
  return failed({ code: 'FILE_NOT_READABLE', detail: `${printable(url)}: ${fault.detail}` }, 'none');
}

// One, two and three slashes after the location mean the same to the appliance.
function plainUrl(url: string): string {
  return url.replace(/^([a-z]+):\/*/u, '$1:/');
}
