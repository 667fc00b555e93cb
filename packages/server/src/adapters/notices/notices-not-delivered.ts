import { channels } from '@stillpoint/core';
import { sql } from 'kysely';

/**
 * Channels by which nothing has arrived for an hour although something waits that was tried, or on which something was
 * given up within the last day and nothing has arrived since; and a heartbeat that has failed for an hour. What arrived last
 * is asked once a channel: thousands may wait.
 */
export const noticesNotDelivered = sql`
  select 'NOTICE_NOT_DELIVERED' as code, 'channel' as subject_kind, failing.channel as subject_name,
    format(
      'By %s %s notices wait to be delivered and %s were given up within a day; none has arrived since the first of them.',
      failing.channel, failing.waiting, failing.given_up
    ) as sentence,
    failing.last_problem, null::integer as subject_seq
  from (
    select notice.channel, count(*) filter (where state = 'WAITING') as waiting,
      count(*) filter (where state = 'GIVEN_UP') as given_up,
      bool_or(state = 'GIVEN_UP' or waiting_since < clock_timestamp() - interval '1 hour') as is_grave,
      (array_agg(last_problem order by next_try_at desc))[1] as last_problem
    from unnest(${channels}::text[]) as told (channel)
    cross join lateral (
      select max(ended_at) as last_at from notice where notice.channel = told.channel and state = 'DELIVERED'
    ) as arrived
    join notice on notice.channel = told.channel
    where state != 'DELIVERED'
      and ((state = 'WAITING' and attempts > 0)
        or (state = 'GIVEN_UP' and ended_at > clock_timestamp() - interval '1 day'))
      and (arrived.last_at is null or arrived.last_at <= coalesce(ended_at, waiting_since))
    group by notice.channel
  ) as failing
  where failing.is_grave
  union all
  select 'NOTICE_NOT_DELIVERED', 'channel', 'heartbeat', 'No heartbeat has arrived for more than an hour.',
    last_problem, null::integer
  from heartbeat
  where failing_since < clock_timestamp() - interval '1 hour'
    and exists (select from parameter where name = 'heartbeat.url' and value #>> '{}' != '')`;
