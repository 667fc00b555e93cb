// A program for tests to kill: opens the database of a data directory, tells its process numbers as a line of JSON,
// and closes it when its input ends.

import { DatabaseError } from '../database-error.ts';
import { openDatabase } from '../open-database.ts';

try {
  let postgresPid = 0;
  const database = await openDatabase(
    { dataDirectory: process.argv[2] ?? '' },
    {
      onEvent(event) {
        if (event.kind === 'postgresStarted') postgresPid = event.pid;
      },
    },
  );
  console.log(JSON.stringify({ pid: process.pid, uid: process.getuid?.(), postgresPid }));
  for await (const _ of process.stdin);
  await database.close();
} catch (error) {
  if (!(error instanceof DatabaseError)) throw error;
  console.log(JSON.stringify({ fault: error.fault }));
}
