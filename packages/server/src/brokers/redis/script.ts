import { createHash } from 'node:crypto';

/** A program that Redis runs as one step. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

const script = (text: string): Script => ({ text, sha1: createHash('sha1').update(text).digest('hex') });

/**
 * Brings the head of a channel up to date: KEYS[1] the head, KEYS[2] the log; ARGV[1] an epoch to begin with, ARGV[2] how long an idle
 * channel is remembered, ms. After it `epoch` and `offset` are set.
 *
 * The head names the server process that wrote it (`run`). Another process has taken over where the head was written by another: a replica
 * which may not have got the latest, or a server that read its disk. Then offsets may be given again that others have seen with other
 * messages, so the epoch changes; positions of the epoch before that are no higher than `fork` are good all the same.
 */
const HEAD = `
local head, log = KEYS[1], KEYS[2]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local epoch, offset, writer = unpack(redis.call('HMGET', head, 'epoch', 'offset', 'run'))
if not epoch then
  epoch, offset = ARGV[1], '0'
  redis.call('DEL', log)
  redis.call('HSET', head, 'epoch', epoch, 'offset', offset, 'run', run)
elseif writer ~= run then
  redis.call('HSET', head, 'was', epoch, 'fork', offset, 'epoch', ARGV[1], 'run', run)
  epoch = ARGV[1]
end
local function remember(ms)
  if redis.call('PTTL', head) < tonumber(ms) then redis.call('PEXPIRE', head, ms) end
end
remember(ARGV[2])
`;

/** The server's clock, ms. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** How entries older than `ttl` are dropped: their ids are `<offset>-<ms>`. */
const TRIM = `${NOW}local function trim(ttl)
  -- As a rule the oldest is young enough, and no other is looked at.
  local count = 1
  while true do
    local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', count)
    for i = 1, #oldest do
      local at = tonumber(string.match(oldest[i][1], '%-(%d+)'))
      if now < at + ttl then
        if i > 1 then redis.call('XTRIM', log, 'MINID', oldest[i][1]) end
        return
      end
    end
    if #oldest < count then return redis.call('DEL', log) end
    redis.call('XDEL', log, oldest[#oldest][1])
    redis.call('XTRIM', log, 'MINID', oldest[#oldest][1])
    count = 64
  end
end
`;

/**
 * Appends and fans out. KEYS[3] what the channel's listeners subscribe to; KEYS[4], if any, the idempotency key. ARGV[3] the entry;
 * ARGV[4] entries kept, ARGV[5] for how long; ARGV[6] how long the idempotency key is remembered, ms. Returns `<epoch> <offset>`.
 */
export const PUBLISH: Script = script(`
if KEYS[4] then
  local known = redis.call('GET', KEYS[4])
  if known then return known end
end
${HEAD}${TRIM}
offset = string.format('%.0f', redis.call('HINCRBY', head, 'offset', 1))
local size, ttl = tonumber(ARGV[4]), tonumber(ARGV[5])
if size > 0 then
  redis.call('XADD', log, 'MAXLEN', size, string.format('%s-%.0f', offset, now), 'm', ARGV[3])
  trim(ttl)
  redis.call('HSET', head, 'ttl', ttl)
  redis.call('PEXPIRE', log, ttl)
  remember(ttl)
else
  redis.call('DEL', log)
end
local position = epoch .. ' ' .. offset
if KEYS[4] then redis.call('SET', KEYS[4], position, 'PX', ARGV[6]) end
redis.call('SPUBLISH', KEYS[3], 'm' .. position .. '\\n' .. ARGV[3])
return position
`);

/**
 * Reads. ARGV[3], ARGV[4] epoch and offset of `since`, or two empty strings; ARGV[5] `before`, ARGV[6] `limit`, or an empty string.
 * Returns epoch, head, 1 where the answer is complete, and the entries as offset, text, offset, text, …
 */
export const READ: Script = script(`
${HEAD}${TRIM}
local newest = tonumber(offset)
local kept = redis.call('HMGET', head, 'ttl', 'was', 'fork')
if kept[1] then trim(tonumber(kept[1])) end
local floor = newest - redis.call('XLEN', log)
local since = tonumber(ARGV[4])
local known = not since or (ARGV[3] == epoch and since <= newest)
  or (ARGV[3] == kept[2] and since <= tonumber(kept[3]))
local after = floor
if since and known then after = math.max(floor, since) end
local till = newest
if ARGV[5] ~= '' then till = math.min(newest, tonumber(ARGV[5]) - 1) end
local count = math.max(till - after, 0)
if ARGV[6] ~= '' then count = math.min(count, tonumber(ARGV[6])) end
local entries = {}
if count > 0 then
  local from = after + 1
  if not since then from = till - count + 1 end
  local found = redis.call('XRANGE', log, string.format('%.0f-0', from), string.format('%.0f', from + count - 1))
  for _, entry in ipairs(found) do
    table.insert(entries, string.match(entry[1], '^%d+'))
    table.insert(entries, entry[2][2])
  end
end
local complete = known and (not since or since >= floor)
return { epoch, offset, complete and 1 or 0, entries }
`);

/** The head of a channel that has one, which is remembered for longer: epoch and offset, or nothing. */
export const TOUCH: Script = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
${HEAD}
return { epoch, offset }
`);

/** Lets those who listen hear something. KEYS[1] where; ARGV[1] what. */
export const TELL: Script = script(`return redis.call('SPUBLISH', KEYS[1], ARGV[1])`);

/** KEYS[1] a topic. How many connections listen to it. */
export const LISTENERS: Script = script(`return redis.call('PUBSUB', 'SHARDNUMSUB', KEYS[1])[2]`);

/** KEYS[1] the members of a channel, KEYS[2] what its listeners subscribe to; ARGV[1] lease and member, ARGV[2] the data. */
export const ENTER: Script = script(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SPUBLISH', KEYS[2], 'p' .. ARGV[1] .. '\\n' .. ARGV[2])
`);

/** Likewise, without data. */
export const LEAVE: Script = script(`
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('SPUBLISH', KEYS[2], 'l' .. ARGV[1]) end
`);

/** KEYS[1] the members of a channel: lease and member, data, lease and member, … */
export const MEMBERS: Script = script(`return redis.call('HGETALL', KEYS[1])`);

/** KEYS[1] the members of a channel: lease and member of each. */
export const NAMES: Script = script(`return redis.call('HKEYS', KEYS[1])`);

/** Removes what is under a lease. KEYS[1] the members of a channel; ARGV[1] the lease. */
export const SWEEP: Script = script(`
local lease = ARGV[1] .. '\\n'
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, #lease) == lease then redis.call('HDEL', KEYS[1], field) end
end
`);

/** KEYS[1] the channels in which something is under a lease; ARGV[1] one more, if any. Returns all unless one came. */
export const CHANNELS: Script = script(`
if ARGV[1] then return redis.call('SADD', KEYS[1], ARGV[1]) end
return redis.call('SMEMBERS', KEYS[1])
`);

/** KEYS[1] the channels in which something was under a lease. */
export const DROP: Script = script(`redis.call('DEL', KEYS[1])`);

/**
 * KEYS[1] the leases, by when they run out; ARGV[1] one of them, ARGV[2] for how long it is to run from now on, ms; ARGV[3], if any, says
 * that it need not have run until now. Returns 1 where it runs.
 */
export const RENEW: Script = script(`${NOW}
if not ARGV[3] and tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) <= now then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
return 1
`);

/** KEYS[1] the leases. Returns those that run, and those that have run out. */
export const LEASES: Script = script(`${NOW}
local last = string.format('%.0f', now)
return {
  redis.call('ZRANGE', KEYS[1], '(' .. last, '+inf', 'BYSCORE'),
  redis.call('ZRANGE', KEYS[1], '-inf', last, 'BYSCORE'),
}
`);

/** KEYS[1] the leases; ARGV[1] one that is over. */
export const RELEASE: Script = script(`redis.call('ZREM', KEYS[1], ARGV[1])`);

/** KEYS[1] what is agreed upon; ARGV[1] a proposal. Returns what is there then. */
export const AGREE: Script = script(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
`);

export const SCRIPTS: readonly Script[] = [
  ...[
    PUBLISH,
    READ,
    TOUCH,
    TELL,
    LISTENERS,
    ENTER,
    LEAVE,
    MEMBERS,
    NAMES,
    SWEEP,
    CHANNELS,
    DROP,
    RENEW,
    LEASES,
    RELEASE,
    AGREE,
  ],
];
