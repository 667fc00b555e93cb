import { describe, expect, it } from 'vitest';
import { EnvelopeReader } from './envelope-reader.ts';
import { readAnswer } from './read-answer.ts';
import { WireProblem } from './wire-problem.ts';

const STAMP = '<dp:timestamp>2023-05-17T05:07:12-04:00</dp:timestamp>';

function soap(body: string, namespace = 'http://schemas.xmlsoap.org/soap/envelope/'): string {
  return `<env:Envelope xmlns:env="${namespace}"><env:Body>${body}</env:Body></env:Envelope>`;
}

function response(content: string): string {
  return soap(`<dp:response xmlns:dp="http://www.datapower.com/schemas/management">${content}</dp:response>`);
}

function answerTo(text: string) {
  const reader = new EnvelopeReader({ envelopeMaxBytes: 100_000 });
  reader.write(Buffer.from(text));
  return readAnswer(reader.finish().root);
}

function refused(text: string): string {
  try {
    return answerTo(text).kind;
  } catch (error) {
    if (error instanceof WireProblem) return error.code;
    throw error;
  }
}

describe('telling answers apart', () => {
  it.each([
    `${STAMP}<dp:result>OK</dp:result>`,
    '<dp:result>OK</dp:result>',
    `${STAMP}<dp:result>\n                        OK\n                    </dp:result>`,
  ])('takes %s for done', (content) => {
    expect(answerTo(response(content))).toEqual({ kind: 'done' });
  });

  it.each([
    [
      'F1, a login that failed',
      '<dp:result>Authentication failure</dp:result>',
      'AUTHENTICATION_FAILED',
      'none',
    ],
    [
      'F1b, something not allowed',
      `${STAMP}<dp:result>Authentication failure</dp:result>`,
      'NOT_AUTHORISED',
      'none',
    ],
    [
      'F2, an action refused',
      `${STAMP}<dp:result><error-log><log-event level="error">No such domain</log-event><log-event level="error">(admin:default:saml-artifact:10.0.0.1): (config)# quiesce</log-event></error-log></dp:result>`,
      'ACTION_REFUSED',
      'none',
    ],
    [
      'F2b, an action refused by newer firmware',
      `${STAMP}<dp:result><error-log><dp:log-event level="error">No such domain</dp:log-event></error-log></dp:result>`,
      'ACTION_REFUSED',
      'none',
    ],
    [
      'OK beside an error log',
      `${STAMP}<dp:result>OK<error-log><log-event level="error">No such domain</log-event></error-log></dp:result>`,
      'ACTION_REFUSED',
      'none',
    ],
    [
      'F3, an operation that failed',
      `${STAMP}<dp:result>Error creating secure backup.</dp:result>`,
      'OPERATION_FAILED',
      'none',
    ],
    ['F3, a bare error', `${STAMP}<dp:result>ERROR</dp:result>`, 'OPERATION_FAILED', 'none'],
    ['OK inside an error text', `${STAMP}<dp:result>Not OK</dp:result>`, 'OPERATION_FAILED', 'unknown'],
    ['ok in small letters', `${STAMP}<dp:result>ok</dp:result>`, 'OPERATION_FAILED', 'unknown'],
    ['an empty result', `${STAMP}<dp:result/>`, 'OPERATION_FAILED', 'unknown'],
  ])('takes %s for a problem with its own code', (_what, content, code, effect) => {
    expect(answerTo(response(content))).toMatchObject({ kind: 'problem', code, effect });
  });

  it('repeats only the first line of an error log, because the second names the user', () => {
    const content =
      '<dp:result><error-log><log-event level="error">No such\n   domain</log-event><log-event level="error">(admin:default:saml-artifact:10.0.0.1): (config)# x</log-event></error-log></dp:result>';
    expect(answerTo(response(content))).toMatchObject({ detail: 'The appliance refused: No such domain' });
  });

  it('takes a fault of the client for a request refused and one of the server for doubt', () => {
    const fault = (code: string) =>
      soap(
        `<env:Fault><faultcode>env:${code}</faultcode><faultstring>Internal Error</faultstring></env:Fault>`,
      );
    expect(answerTo(fault('Client'))).toMatchObject({ code: 'REQUEST_REJECTED', effect: 'none' });
    expect(answerTo(fault('Server'))).toMatchObject({ code: 'DEVICE_ERROR', effect: 'unknown' });
    const newer = soap(
      '<env:Fault><env:Code><env:Value>env:Sender</env:Value></env:Code><env:Reason><env:Text>no</env:Text></env:Reason></env:Fault>',
      'http://www.w3.org/2003/05/soap-envelope',
    );
    expect(answerTo(newer)).toMatchObject({ code: 'REQUEST_REJECTED', effect: 'none' });
  });

  it.each([
    ['a page', '<html><body/></html>', 'REPLY_NOT_SOAP'],
    ['an envelope of nobody', '<Envelope><Body/></Envelope>', 'REPLY_NOT_SOAP'],
    ['an empty body', soap(''), 'REPLY_UNEXPECTED'],
    [
      'an answer of the other interface',
      soap('<amp:Fault xmlns:amp="x">Authentication failure</amp:Fault>'),
      'REPLY_UNEXPECTED',
    ],
    ['another response', soap('<response><result>OK</result></response>'), 'REPLY_UNEXPECTED'],
    ['an empty response', response(STAMP), 'REPLY_UNEXPECTED'],
    ['two results', response('<dp:result>OK</dp:result><dp:result>OK</dp:result>'), 'REPLY_UNEXPECTED'],
    [
      'two responses',
      response('<dp:result>OK</dp:result>').replace(/(<dp:response.*response>)/u, '$1$1'),
      'REPLY_UNEXPECTED',
    ],
    ['elements around OK', response('<dp:result>OK<x/></dp:result>'), 'REPLY_UNEXPECTED'],
  ])('does not take %s for an answer', (_what, text, expected) => {
    expect(refused(text)).toBe(expected);
  });
});
