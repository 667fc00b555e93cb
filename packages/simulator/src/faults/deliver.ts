import { setTimeout as sleep } from 'node:timers/promises';
import type { Appliance } from '../appliance.ts';
import type { Content } from '../content/content.ts';
import { type Base64Style, base64Of } from '../content/encode-base64.ts';
import {
  type Answer,
  emptyFileAnswer,
  errorLogAnswer,
  loginFailureAnswer,
  notPermittedAnswer,
  prefixedErrorLogAnswer,
  soapFaultAnswer,
  textAnswer,
  XML_DECLARATION,
} from '../soma/answer.ts';
import { type Misconduct, performRequest } from '../soma/perform.ts';
import type { SomaRequest } from '../soma/soma-request.ts';
import { type BodyPiece, type DocumentDamage, damageDocument } from './damage-document.ts';
import type { FaultOrder } from './fault-order.ts';

/** An answer on its way, with all that is ordered to go wrong on the way. */
export interface Sending {
  readonly kind: 'send';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Stands before the first answer of a batch only. */
  readonly declaration: string;
  readonly body: AsyncIterable<BodyPiece>;
  readonly outcome: string;
  readonly served: Content | undefined;
  /** The connection is lost after this many bytes of the body. */
  readonly cut?: { readonly afterBytes: number; readonly how: 'reset' | 'close' };
  readonly trickle?: { readonly bytes: number; readonly everyMs: number };
}

/** What becomes of a request: an answer, a lost connection, or silence. */
export type Delivery =
  | Sending
  | { kind: 'reset'; outcome: string; isForAllConnections: boolean }
  /** The connection is dropped without an answer, after the work or before it. */
  | { kind: 'drop'; outcome: string; performLater?: () => Promise<void> }
  | { kind: 'stall'; outcome: string };

/** Carries out a request under an ordered fault, or without one. */
export async function deliver(
  appliance: Appliance,
  request: SomaRequest,
  fault: FaultOrder | undefined,
  signal: AbortSignal,
): Promise<Delivery> {
  const perform = (misconduct: Misconduct = {}): Promise<Answer> =>
    carryOut(appliance, request, misconduct, signal);
  if (fault === undefined) {
    return send(appliance, await perform());
  }
  const outcome = fault.kind;
  switch (fault.kind) {
    case 'reset':
      return { kind: 'reset', outcome, isForAllConnections: false };
    case 'stall':
      return { kind: 'stall', outcome };
    case 'reboot':
      appliance.step({ kind: 'reboot', downMs: fault.downMs });
      return { kind: 'reset', outcome, isForAllConnections: true };
    case 'lost-reply':
      await perform();
      return { kind: 'drop', outcome };
    case 'late': {
      const performLater = async (): Promise<void> => {
        await sleep(fault.delayMs, undefined, { signal });
        await perform();
      };
      return { kind: 'drop', outcome, performLater };
    }
    case 'delay':
      await sleep(fault.delayMs, undefined, { signal });
      return { ...send(appliance, await perform()), outcome };
    case 'reset-after-bytes':
    case 'close-after-bytes': {
      const how = fault.kind === 'reset-after-bytes' ? 'reset' : 'close';
      return { ...send(appliance, await perform()), outcome, cut: { afterBytes: fault.bytes, how } };
    }
    case 'trickle': {
      const { bytes, everyMs } = fault;
      return { ...send(appliance, await perform()), outcome, trickle: { bytes, everyMs } };
    }
    case 'bad-base64':
      return { ...send(appliance, await perform(), { base64: fault.damage }), outcome };
    case 'truncated-xml':
    case 'nul-bytes':
    case 'wrong-charset':
    case 'doctype':
      return { ...send(appliance, await perform(), { document: { kind: fault.kind } }), outcome };
    case 'deep-xml': {
      const document: DocumentDamage = { kind: 'deep-xml', depth: fault.depth };
      return { ...send(appliance, await perform(), { document }), outcome };
    }
    default:
      return {
        ...(answerInstead(appliance, fault) ?? send(appliance, await perform(misconductOf(fault)))),
        outcome,
      };
  }
}

/** Puts an answer on its way. */
export function send(
  appliance: Appliance,
  answer: Answer,
  damage: { base64?: 'alphabet' | 'padding' | 'length'; document?: DocumentDamage } = {},
): Sending {
  const { lineWidth } = appliance.description.base64;
  const style = damage.base64 === undefined ? { lineWidth } : { lineWidth, damage: damage.base64 };
  const body = writeBody(answer, style);
  return {
    kind: 'send',
    status: answer.status,
    headers: { 'content-type': 'text/xml' },
    declaration: XML_DECLARATION,
    body: damage.document === undefined ? body : damageDocument(body, damage.document),
    outcome: answer.outcome,
    served: answer.served,
  };
}

async function carryOut(
  appliance: Appliance,
  request: SomaRequest,
  misconduct: Misconduct,
  signal: AbortSignal,
): Promise<Answer> {
  const { isAsync, durationMs } = appliance.description.secureBackup;
  const worksFirstMs = request.operation === 'SecureBackup' && !isAsync ? durationMs : 0;
  const waitMs = appliance.settings.latencyMs + worksFirstMs;
  if (waitMs > 0) {
    await sleep(waitMs, undefined, { signal });
  }
  return performRequest(appliance, request, misconduct);
}

async function* writeBody(answer: Answer, style: Base64Style): AsyncIterable<BodyPiece> {
  for (const segment of answer.segments) {
    if (typeof segment === 'string') {
      yield segment;
    } else {
      yield* base64Of(segment.base64, style);
    }
  }
}

/** The answer to a fault that keeps the request from being carried out at all. */
function answerInstead(appliance: Appliance, fault: FaultOrder): Sending | undefined {
  const about = { domain: 'default', command: 'fault ordered' };
  switch (fault.kind) {
    case 'login-failure':
      return send(appliance, loginFailureAnswer());
    case 'not-permitted':
      return send(appliance, notPermittedAnswer(appliance));
    case 'error-log':
      return send(appliance, errorLogAnswer(appliance, 'The request was refused.', about));
    case 'error-log-prefixed':
      return send(appliance, prefixedErrorLogAnswer(appliance, 'The request was refused.'));
    case 'text':
      return send(appliance, textAnswer(appliance, fault.text));
    case 'empty-file':
      return send(appliance, emptyFileAnswer(appliance));
    case 'soap-fault':
      return send(appliance, soapFaultAnswer());
    case 'http-status':
      return plain(fault.status, { 'content-type': 'text/html' }, [`<html>Status ${fault.status}</html>`]);
    case 'not-xml':
      return plain(200, { 'content-type': 'text/xml' }, ['The gateway is busy, try again later.']);
    case 'redirect':
      return plain(302, { 'content-type': 'text/html', location: 'https://127.0.0.1:1/elsewhere' }, ['']);
    case 'endless-body':
      return plain(200, { 'content-type': 'text/xml' }, endless());
    case 'raw':
      return plain(fault.status, { 'content-type': fault.contentType }, [
        Buffer.from(fault.bodyBase64, 'base64'),
      ]);
    default:
      return undefined;
  }
}

function misconductOf(fault: FaultOrder): Misconduct {
  switch (fault.kind) {
    case 'quiesce-never':
      return { quiesceEnding: 'never' };
    case 'quiesce-error':
      return { quiesceEnding: 'error' };
    case 'unquiesce-never':
      return { unquiesceEnding: 'never' };
    case 'other-domain':
      return { isForOtherDomain: true };
    case 'truncated-zip':
    case 'bad-crc':
    case 'no-export-xml':
    case 'wrong-inner-hash':
      return { packageDamage: fault.kind };
    case 'manifest-missing':
    case 'manifest-empty':
    case 'manifest-extra':
    case 'manifest-wrong-hash':
    case 'manifest-wrong-size':
    case 'manifest-unknown-algorithm':
      return { manifestDamage: fault.kind };
    default:
      return {};
  }
}

function plain(
  status: number,
  headers: Readonly<Record<string, string>>,
  pieces: Iterable<BodyPiece>,
): Sending {
  const body = (async function* (): AsyncIterable<BodyPiece> {
    yield* pieces;
  })();
  return { kind: 'send', status, headers, declaration: '', body, outcome: 'ok', served: undefined };
}

// Well-formed as far as it goes: a file whose base64 never ends.
function* endless(): Iterable<BodyPiece> {
  const envelope = 'http://schemas.xmlsoap.org/soap/envelope/';
  const management = 'http://www.datapower.com/schemas/management';
  yield `${XML_DECLARATION}<env:Envelope xmlns:env="${envelope}"><env:Body><dp:response xmlns:dp="${management}"><dp:file>`;
  for (;;) {
    yield 'AAAA'.repeat(4096);
  }
}
