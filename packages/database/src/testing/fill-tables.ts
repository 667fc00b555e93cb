import type { Pool } from 'pg';

/** Texts that COPY has to write otherwise than they are. */
const hardTexts = ['', '\\.', '\\N', '\t', 'a\nb\r\n\\.\n', 'ÄÖ 🜁 \u2028', `'";--`, '\\x00'];

/** Rows in most tables, with everything that is hard to carry over, and `taskCount` tasks of some hundred bytes each. */
export async function fillTables(pool: Pool, taskCount: number): Promise<void> {
  for (const [index, text] of hardTexts.entries()) {
    await pool.query('insert into parameter (name, value) values ($1, $2)', [
      `p${index}${text.replaceAll('\0', '')}`,
      JSON.stringify({ text, list: [1.5, null, text] }),
    ]);
  }
  await pool.query(
    `insert into device (id, name, host, soma_port, username, sealed_password, tls, tags, is_enabled)
     values (gen_random_uuid(), 'Zulu', 'z.example', 5550, 'me', '\\x00ff5c2e0a', '{}', '["a"]', true),
            (gen_random_uuid(), 'alpha', 'a.example', 5550, 'me', '\\x', '{}', '[]', false),
            (gen_random_uuid(), 'Äther', 'ä.example', 5550, 'me', '\\x0a', '{}', '[]', false)`,
  );
  await pool.query(
    `with made as (
       insert into run (id, plan_name, spec, status, queued_at, ended_at)
       select gen_random_uuid(), 'nightly', '{}', 'RUNNING', '2026-03-29 01:30:00.123456+00', null
         from generate_series(1, 3) returning id, number)
     insert into task (id, run_id, activity_index, action, device, domain, spec, status, queued_at)
     select gen_random_uuid(), (select id from made order by number limit 1), 0, 'EXPORT_DOMAIN', 'device-' || n % 50,
            case when n % 2 = 0 then 'domain' end,
            jsonb_build_object('n', n, 'filler', array(select md5((n * 8 + k)::text) from generate_series(1, 8) as k)),
            'WAITING', timestamptz '2026-03-29 01:30+00' + n * interval '1 microsecond'
       from generate_series(1, $1) as n`,
    [taskCount],
  );
  await pool.query(
    `insert into journal_subject (id, program, spec, token) select id, 'task', '{}', 7 from task order by number limit 2`,
  );
  await pool.query(
    `insert into journal_fact (subject_id, seq, body) select id, 1, '{"type":"noted"}' from journal_subject`,
  );
  await pool.query(
    `insert into device_guard (device, task_id, scope, intended_at) select 'alpha', id, '{}', now() from task limit 1`,
  );
}
