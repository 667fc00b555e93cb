import type { Appliance } from './appliance.ts';
import { failed, good, type Reply } from './fault.ts';
import type { CallOptions, Deadlines, Session } from './session.ts';
import { requests } from './wire/requests.ts';

const ENVELOPE_MAX_BYTES = 1024 * 1024;

type Actions = Pick<
  Appliance,
  | 'createSecureBackup'
  | 'createDirectory'
  | 'deleteFile'
  | 'removeDirectory'
  | 'quiesceDomain'
  | 'unquiesceDomain'
  | 'quiesceDevice'
  | 'unquiesceDevice'
>;

/** The operations that change the appliance: done only when it says exactly OK. */
export function applianceActions(session: Session, deadlines: Deadlines): Actions {
  const { actionMs } = deadlines;
  const act = (build: () => string, options: CallOptions | undefined, usualDeadlineMs = actionMs) =>
    perform(session, build, { ...options, usualDeadlineMs });
  return {
    createSecureBackup: (order, options) =>
      act(() => requests.secureBackup(order), options, deadlines.secureBackupMs),
    createDirectory: (url, options) => act(() => requests.createDirectory(url), options),
    deleteFile: (url, options) => act(() => requests.deleteFile(url), options),
    removeDirectory: (url, options) => act(() => requests.removeDirectory(url), options),
    quiesceDomain: ({ domain, timeoutSeconds }, options) =>
      act(() => requests.quiesceDomain(domain, timeoutSeconds), options),
    unquiesceDomain: (domain, options) => act(() => requests.unquiesceDomain(domain), options),
    quiesceDevice: ({ timeoutSeconds }, options) =>
      act(() => requests.quiesceDevice(timeoutSeconds), options),
    unquiesceDevice: (options) => act(() => requests.unquiesceDevice(), options),
  };
}

async function perform(
  session: Session,
  build: () => string,
  options: CallOptions & { usualDeadlineMs: number },
): Promise<Reply<void>> {
  const reply = await session.ask({
    ...options,
    build,
    kind: 'action',
    envelopeMaxBytes: ENVELOPE_MAX_BYTES,
  });
  if (!reply.ok) return reply;
  if (reply.value.content === null) return good(undefined);
  const detail = `The appliance answered an action with ${reply.value.content.name} instead of OK.`;
  return failed({ code: 'REPLY_UNEXPECTED', detail }, 'unknown');
}
