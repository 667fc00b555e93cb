import { createServer, type Server, type Socket } from 'node:net';

/** A PostgreSQL that lets everybody in and answers each query with one row of text; not yet listening. */
export function pretendServer(row: Readonly<Record<string, string>>): Server {
  const ready = message('Z', 'I');
  const fields = Object.keys(row).map((name) =>
    Buffer.concat([
      Buffer.from(`${name}\0`),
      numbers([32, 0], [16, 0], [32, 25], [16, -1], [32, -1], [16, 0]),
    ]),
  );
  const values = Object.values(row).map((value) =>
    Buffer.concat([numbers([32, Buffer.byteLength(value)]), Buffer.from(value)]),
  );
  const answer = Buffer.concat([
    message('T', numbers([16, fields.length]), ...fields),
    message('D', numbers([16, values.length]), ...values),
    message('C', 'SELECT 1\0'),
    ready,
  ]);
  return createServer((socket: Socket) => {
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', numbers([32, 0])), ready]));
      socket.on('data', (chunk) =>
        chunk.toString('latin1', 0, 1) === 'Q' ? socket.write(answer) : socket.end(),
      );
    });
  });
}

/** One message of a server: a letter, its length, its body. */
function message(letter: string, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function numbers(...values: [bits: 16 | 32, value: number][]): Buffer {
  const parts = values.map(([bits, value]) => {
    const part = Buffer.alloc(bits / 8);
    part.writeIntBE(value, 0, bits / 8);
    return part;
  });
  return Buffer.concat(parts);
}
