import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EnvelopeReader } from './envelope-reader.ts';
import { WireProblem } from './wire-problem.ts';

const OPEN =
  '<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>' +
  '<dp:response xmlns:dp="http://www.datapower.com/schemas/management">';
const CLOSE = '</dp:response></env:Body></env:Envelope>';
const ANSWER = `${OPEN}<dp:result>OK</dp:result>${CLOSE}`;
const LIMIT_BYTES = 1024 * 1024;

function read(chunks: readonly (string | Buffer)[]) {
  const blocks: Uint8Array[] = [];
  const reader = new EnvelopeReader({
    envelopeMaxBytes: LIMIT_BYTES,
    onFileBytes: (block) => blocks.push(block),
  });
  for (const chunk of chunks) reader.write(Buffer.from(chunk as string));
  return { ...reader.finish(), file: Buffer.concat(blocks) };
}

function codeOf(...chunks: readonly (string | Buffer)[]): string {
  try {
    read(chunks);
  } catch (error) {
    if (error instanceof WireProblem) return error.code;
    throw error;
  }
  return 'none';
}

function nested(depth: number): string {
  return `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
}

describe('reading an envelope', () => {
  it('gives the same answer however the bytes are cut', () => {
    const archive = Buffer.from('an archive of bytes, with Ω and ünïcode outside of it');
    const text = `${OPEN}<dp:timestamp>größe Ω 𝄞</dp:timestamp><dp:file name="a&gt;b">\n${archive.toString('base64')}\n</dp:file>${CLOSE}\n`;
    const bytes = Buffer.from(text);
    const whole = read([bytes]);
    expect(whole.file).toEqual(archive);
    expect(whole.fileSizeBytes).toBe(archive.length);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (positions) => {
        const sorted = [0, ...positions, bytes.length].sort((a, b) => a - b);
        const chunks = sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
        expect(read(chunks)).toEqual(whole);
      }),
      { numRuns: 300 },
    );
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('keeps a file outside of the response in the tree instead of streaming it', () => {
    const { root, file } = read([`${OPEN}<x><file>QUJD</file></x>${CLOSE}`]);
    expect(file.length).toBe(0);
    expect(root.children[0]?.children[0]?.children[0]?.children[0]?.text).toBe('QUJD');
  });

  it.each(['<dp:file/>', '<dp:file></dp:file>', '<dp:file> \n </dp:file>'])(
    'finds no bytes in %s',
    (empty) => {
      expect(read([`${OPEN}${empty}${CLOSE}`]).fileSizeBytes).toBe(0);
    },
  );

  it('accepts a byte order mark, the five entities and character references', () => {
    const { root } = read([`\ufeff${OPEN}<dp:result>&lt;&gt;&amp;&quot;&apos;&#65;</dp:result>${CLOSE}`]);
    expect(root.children[0]?.children[0]?.children[0]?.text).toBe('<>&"\'A');
  });

  it.each([
    ['nothing', '', 'REPLY_EMPTY'],
    ['white space', '\r\n  ', 'REPLY_EMPTY'],
    ['plain text', 'Service unavailable', 'REPLY_NOT_XML'],
    ['a page that is no XML', '<!doctype html><html><body><p>Hello<br></body></html>', 'REPLY_NOT_XML'],
    ['JSON', '{"error":["Bad request."]}', 'REPLY_NOT_XML'],
    ['crossed tags', '<a><b></a></b>', 'REPLY_NOT_XML'],
    ['an unbound prefix', '<env:Envelope/>', 'REPLY_NOT_XML'],
    ['an unknown entity', ANSWER.replace('OK', '&nbsp;'), 'REPLY_NOT_XML'],
    ['a control character', ANSWER.replace('OK', 'O\x01K'), 'REPLY_NOT_XML'],
    ['rubbish after the end', `${ANSWER}rubbish`, 'REPLY_NOT_XML'],
    ['two envelopes with a declaration each', `${ANSWER}\n${ANSWER}`, 'REPLY_REPEATED'],
    ['two envelopes under one declaration', ANSWER + ANSWER.slice(ANSWER.indexOf('<env:')), 'REPLY_REPEATED'],
    ['a document type', `<!DOCTYPE a>${ANSWER.slice(ANSWER.indexOf('<env:'))}`, 'REPLY_HAS_DOCTYPE'],
    [
      'a bomb of entities',
      `<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><a>&b;</a>`,
      'REPLY_HAS_DOCTYPE',
    ],
    [
      'an external entity',
      `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`,
      'REPLY_HAS_DOCTYPE',
    ],
    ['another declared encoding', ANSWER.replace('UTF-8', 'ISO-8859-1'), 'REPLY_CHARSET'],
    ['bytes of Latin-1', Buffer.from(ANSWER.replace('OK', 'größer'), 'latin1'), 'REPLY_CHARSET'],
    [
      'half a character at the end',
      Buffer.concat([Buffer.from(ANSWER), Buffer.from([0xc3])]),
      'REPLY_CHARSET',
    ],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${ANSWER}`, 'utf16le'), 'REPLY_CHARSET'],
    ['UTF-16 without a mark', Buffer.from(ANSWER, 'utf16le'), 'REPLY_HAS_NUL'],
    ['a NUL in the envelope', ANSWER.replace('OK', 'O\0K'), 'REPLY_HAS_NUL'],
    ['a NUL in the file', `${OPEN}<dp:file>QU\0JD</dp:file>${CLOSE}`, 'REPLY_HAS_NUL'],
    ['a million nested elements', `${OPEN}${nested(1_000_000)}${CLOSE}`, 'REPLY_TOO_DEEP'],
    ['an endless text', `${OPEN}<dp:result>${'x'.repeat(LIMIT_BYTES)}`, 'REPLY_TOO_LARGE'],
    ['an endless start tag', `<a ${'x'.repeat(LIMIT_BYTES)}`, 'REPLY_TOO_LARGE'],
    [
      'endless text after the file',
      `${OPEN}<dp:file>QUJD</dp:file>${' '.repeat(LIMIT_BYTES)}`,
      'REPLY_TOO_LARGE',
    ],
    ['bad base64', `${OPEN}<dp:file>QU!D</dp:file>${CLOSE}`, 'BASE64_INVALID'],
    ['base64 that is too short', `${OPEN}<dp:file>QUJ</dp:file>${CLOSE}`, 'BASE64_INVALID'],
    ['an element in the file', `${OPEN}<dp:file>QUJD<a/></dp:file>${CLOSE}`, 'BASE64_INVALID'],
    [
      'a comment that splits the file',
      `${OPEN}<dp:file>QUJD<!-- -->QUJD</dp:file>${CLOSE}`,
      'BASE64_INVALID',
    ],
    ['a file in CDATA', `${OPEN}<dp:file><![CDATA[QUJD]]></dp:file>${CLOSE}`, 'BASE64_INVALID'],
    ['a second file', `${OPEN}<dp:file>QUJD</dp:file><dp:file>QUJD</dp:file>${CLOSE}`, 'BASE64_INVALID'],
  ])('refuses %s', (_what, answer, code) => {
    expect(codeOf(answer)).toBe(code);
  });

  it('never takes a prefix of an answer for the answer', () => {
    const bytes = Buffer.from(`${OPEN}<dp:file>QUJDRA==</dp:file>${CLOSE}`);
    for (let length = 0; length < bytes.length; length += 1) {
      const code = codeOf(bytes.subarray(0, length));
      expect(['REPLY_EMPTY', 'REPLY_TRUNCATED', 'REPLY_NOT_XML']).toContain(code);
    }
  });

  it('never throws anything but its own problem, whatever bytes come', () => {
    const bytes = Buffer.from(`${OPEN}<dp:file name="x">QUJDRA==</dp:file>${CLOSE}`);
    let refused = 0;
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = Buffer.from(bytes);
        for (const [position, value] of changes) damaged[position] = value;
        if (codeOf(damaged) !== 'none') refused += 1;
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
