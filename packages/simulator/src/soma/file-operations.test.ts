import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fleet } from '../fleet/fleet.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { callAction, callOperation, fileIn, textsOf } from '../testing/call-device.ts';

let fleet: Fleet;

beforeAll(async () => {
  fleet = await startFleet(
    { devices: [{ name: 'dp1', domains: [{ name: 'A', files: 2, sizeBytes: 10 }] }] },
    { now: () => Date.parse('2023-05-05T18:19:41Z') },
  );
});
afterAll(() => fleet.stop());

const call = async (operation: string, domain?: string): Promise<string> =>
  (await callOperation(fleet.device('dp1').address, operation, domain)).text;
const act = async (action: string): Promise<string> =>
  (await callAction(fleet.device('dp1').address, action)).text;
const put = (name: string, text: string): Promise<string> =>
  call(`<dp:set-file name="${name}">${Buffer.from(text).toString('base64')}</dp:set-file>`);

describe('files', () => {
  test('can be written, read under any form of their name, moved and deleted', async () => {
    expect(await put('temporary:///a.txt', 'hello')).toContain('>OK<');
    for (const name of ['temporary:/a.txt', 'temporary://a.txt', 'temporary:///a.txt']) {
      const text = await call(`<dp:get-file name="${name}"/>`);
      expect(text).toContain(`<dp:file name="${name}">`);
      expect(fileIn(text).toString()).toBe('hello');
    }
    const move =
      '<MoveFile><sURL>temporary:///a.txt</sURL><dURL>temporary:///b.txt</dURL><Overwrite>off</Overwrite></MoveFile>';
    expect(await act(move)).toContain('>OK<');
    expect(await call('<dp:get-file name="temporary:///a.txt"/>')).toContain(
      'Cannot read the specified file',
    );
    expect(await act('<DeleteFile><File>temporary:///b.txt</File></DeleteFile>')).toContain('>OK<');
    expect(await act('<DeleteFile><File>temporary:///b.txt</File></DeleteFile>')).toContain(
      'No such file or directory',
    );
  });

  test('are overwritten by a move only when that was asked for', async () => {
    await put('temporary:///from.txt', 'new');
    await put('temporary:///to.txt', 'old');
    const move = (overwrite: string): Promise<string> =>
      act(
        `<MoveFile><sURL>temporary:///from.txt</sURL><dURL>temporary:///to.txt</dURL><Overwrite>${overwrite}</Overwrite></MoveFile>`,
      );
    expect(await move('off')).toContain('<error-log>');
    expect(await move('on')).toContain('>OK<');
    expect(fileIn(await call('<dp:get-file name="temporary:///to.txt"/>')).toString()).toBe('new');
  });

  test('of ten megabytes come back as they were', async () => {
    const bytes = Buffer.alloc(10_000_000, 'stillpoint');
    expect(
      await call(`<dp:set-file name="local:///big.bin">${bytes.toString('base64')}</dp:set-file>`),
    ).toContain('>OK<');
    expect(fileIn(await call('<dp:get-file name="local:///big.bin"/>')).equals(bytes)).toBe(true);
  });

  test('cannot be read from cert:, nor written to store:, nor outside a location', async () => {
    expect(await put('cert:///key.pem', 'secret')).toContain('>OK<');
    expect(await call('<dp:get-file name="cert:///key.pem"/>')).toContain('Cannot read the specified file');
    for (const name of [
      'store:///x',
      'local:///../x',
      'mars:///x',
      'local:///no/such/parent.txt',
      'local:///',
    ]) {
      expect(textsOf(await put(name, 'x'), 'dp:result')).toEqual(['Authentication failure']);
    }
  });

  test('belong to one domain', async () => {
    const text = await call('<dp:get-filestore location="local:"/>', 'A');
    expect([...text.matchAll(/<file name="([^"]*)"/g)].map((match) => match[1])).toEqual([
      'file-0001.bin',
      'file-0002.bin',
    ]);
  });
});

describe('directories', () => {
  test('are made one level at a time and removed with all that is in them', async () => {
    const make = (url: string): Promise<string> => act(`<CreateDir><Dir>${url}</Dir></CreateDir>`);
    expect(await make('temporary:/deep/er')).toContain('<error-log>');
    expect(await make('temporary:/deep')).toContain('>OK<');
    expect(await make('temporary:/deep')).toContain('<error-log>');
    expect(await make('temporary:/deep/er')).toContain('>OK<');
    expect(await make('store:/mine')).toContain('<error-log>');
    await put('temporary:///deep/er/x.txt', 'abcdef');
    expect(textsOf(await put('temporary:///deep', 'x'), 'dp:result')).toEqual(['Authentication failure']);
    expect(await act('<RemoveDir><Dir>temporary:/deep</Dir></RemoveDir>')).toContain('>OK<');
    expect(await act('<RemoveDir><Dir>temporary:/deep</Dir></RemoveDir>')).toContain('<error-log>');
    expect(await call('<dp:get-file name="temporary:///deep/er/x.txt"/>')).toContain('Cannot read');
  });
});

describe('a listing', () => {
  test('nests directories under their full names', async () => {
    await act('<CreateDir><Dir>temporary:/list</Dir></CreateDir>');
    await act('<CreateDir><Dir>temporary:/list/in</Dir></CreateDir>');
    await put('temporary:///list/in/x.txt', 'abcdef');
    const text = await call('<dp:get-filestore location="temporary:"/>');
    expect(text).toMatch(
      /<directory name="temporary:\/list"[^>]*><directory name="temporary:\/list\/in"[^>]*><file name="x.txt"><size>6<\/size><modified>2023-05-05 18:19:41<\/modified><\/file>/,
    );
    const flat = await call('<dp:get-filestore location="temporary:" no-subdirectories="true"/>');
    expect(flat).not.toContain('x.txt');
    const layout = await call('<dp:get-filestore location="temporary:" layout-only="true"/>');
    expect(layout).toMatch(
      /<location name="temporary:"[^>]*><directories>2<\/directories><files>\d+<\/files><\/location>/,
    );
  });

  test('of no location is of all, each with what it permits', async () => {
    const text = await call('<dp:get-filestore/>');
    expect(text).toContain(
      '<location name="cert:" write="true" audit="true" log="true" del="true" list="true">',
    );
    expect(text.match(/<location /g)).toHaveLength(14);
  });
});
