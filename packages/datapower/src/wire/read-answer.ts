import type { DatapowerCode, Effect } from '../fault.ts';
import { printable } from './printable.ts';
import { WireProblem } from './wire-problem.ts';
import { childNamed, textOf, type XmlElement } from './xml-element.ts';

const SOMA = 'http://www.datapower.com/schemas/management';
const SOAP: ReadonlySet<string> = new Set([
  'http://schemas.xmlsoap.org/soap/envelope/',
  'http://www.w3.org/2003/05/soap-envelope',
]);

/** What the appliance said: done, some content, or a problem with the effect that its words allow. */
export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'content'; readonly content: Content }
  | {
      readonly kind: 'problem';
      readonly code: DatapowerCode;
      readonly detail: string;
      readonly effect: Effect;
    };

/** The one content element of a response, with the appliance's own time stamp where it gave one. */
export interface Content {
  readonly name: string;
  readonly element: XmlElement;
  readonly stampedAt: string | null;
}

/** Tells the answers of the management interface apart; what is none of them is thrown as a `WireProblem`. */
export function readAnswer(root: XmlElement): Answer {
  if (root.name !== 'Envelope' || !SOAP.has(root.namespace)) {
    throw new WireProblem('REPLY_NOT_SOAP', `The answer is a ${printable(root.name)} and no SOAP envelope.`);
  }
  const body = childNamed(root, 'Body');
  const message = body?.children[0];
  if (!body || !message || body.children.length > 1) {
    throw new WireProblem('REPLY_UNEXPECTED', 'The SOAP body of the answer does not hold one message.');
  }
  if (message.name === 'Fault' && SOAP.has(message.namespace)) return readFault(message);
  if (message.name !== 'response' || message.namespace !== SOMA) {
    throw new WireProblem(
      'REPLY_UNEXPECTED',
      `The answer holds a ${printable(message.name)} and no response.`,
    );
  }
  return readResponse(message);
}

function readResponse(response: XmlElement): Answer {
  const stampedAt = textOf(response, 'timestamp') ?? null;
  const contents = response.children.filter((child) => child.name !== 'timestamp');
  const element = contents[0];
  if (!element || contents.length > 1) {
    throw new WireProblem(
      'REPLY_UNEXPECTED',
      `The response holds ${contents.length} results instead of one.`,
    );
  }
  if (element.name === 'result') return readResult(element, stampedAt !== null);
  return { kind: 'content', content: { name: element.name, element, stampedAt } };
}

function readResult(result: XmlElement, isStamped: boolean): Answer {
  const text = result.text.trim();
  const log = childNamed(result, 'error-log');
  if (log) {
    return { kind: 'problem', code: 'ACTION_REFUSED', detail: refusal(log), effect: 'none' };
  }
  if (result.children.length > 0) {
    throw new WireProblem('REPLY_UNEXPECTED', 'The result of the answer holds unknown elements.');
  }
  if (text === 'OK') return { kind: 'done' };
  if (text === 'Authentication failure') return readAuthenticationFailure(isStamped);
  // A message that says "error" or "cannot" is a refusal; other words may stand for anything.
  const effect = /^(?:error|cannot)\b/iu.test(text) ? 'none' : 'unknown';
  const said = text === '' ? 'nothing' : `"${printable(text)}"`;
  return { kind: 'problem', code: 'OPERATION_FAILED', detail: `The appliance answered ${said}.`, effect };
}

// The appliance uses one text for two things; only a login that failed goes without a time stamp.
function readAuthenticationFailure(isStamped: boolean): Answer {
  if (isStamped) {
    const detail = 'The appliance answered that the user may not do this or that it is not possible.';
    return { kind: 'problem', code: 'NOT_AUTHORISED', detail, effect: 'none' };
  }
  const detail = 'The appliance refused the user name or password.';
  return { kind: 'problem', code: 'AUTHENTICATION_FAILED', detail, effect: 'none' };
}

// Only the first line is for people: the next one repeats the command, with user and session.
function refusal(log: XmlElement): string {
  const lines = log.children.map((line) => line.text.trim()).filter((line) => line !== '');
  const first = lines[0] ?? log.text.trim();
  return first === ''
    ? 'The appliance refused without giving a reason.'
    : `The appliance refused: ${printable(first)}`;
}

function readFault(fault: XmlElement): Answer {
  const code = textOf(fault, 'faultcode') ?? nestedText(fault, 'Code', 'Value') ?? '';
  const reason = textOf(fault, 'faultstring') ?? nestedText(fault, 'Reason', 'Text') ?? '';
  const detail = `The appliance answered with the SOAP fault ${printable(code)}: ${printable(reason)}`;
  const local = code.slice(code.indexOf(':') + 1);
  if (local === 'Client' || local === 'Sender') {
    return { kind: 'problem', code: 'REQUEST_REJECTED', detail, effect: 'none' };
  }
  return { kind: 'problem', code: 'DEVICE_ERROR', detail, effect: 'unknown' };
}

function nestedText(element: XmlElement, outer: string, inner: string): string | undefined {
  const found = childNamed(element, outer);
  return found && textOf(found, inner);
}
