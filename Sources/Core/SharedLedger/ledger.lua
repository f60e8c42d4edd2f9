-- The ledger shared by several instances of Weir: one script, run by Redis, so that each call is atomic for all of
-- them.
--
-- A limit of n slots is stored under KEYS[1]:NAME in four keys:
--   :times  a sorted set of the times at which slots are freed
--   :used   the number of slots for each time; `all` is their sum
--   :held   for each instance, the slots that it holds: of requests that are being sent and have no response yet
--   :queue  waiting requests, one per entry: a sorted set by time of arrival, adjusted for urgency
-- KEYS[1]:members has, for each session, until when it counts as alive. KEYS[1]:seats has, for each instance, until when it is a member,
-- that is, relies on this ledger alone. The share of an instance that is not a member is left free: it may be using it.
-- KEYS[1]:pauses has, for each key that the provider has rejected, the end and the reason of the pause.
-- KEYS[1]:open is the time from which on slots are granted. Times are in microseconds of this server's clock.

local prefix, op, instance = KEYS[1], ARGV[1], ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local members, seats, open = prefix .. ':members', prefix .. ':seats', prefix .. ':open'
local pauses = prefix .. ':pauses'
local day, year = 86400000000, 366 * 86400
-- Calls must be executed within seconds: one that is valid for longer belongs to a session that began before this
-- clock was set back.
local horizon = 10000000

local function text(number) return string.format('%.0f', number) end

-- When the quota that counts a request at `at` resets: days since 1970 of the next day, or of the next month.
local function renewal(at, span)
  -- A margin of five seconds on both sides for clock differences.
  local days = math.floor((at + 5000000) / day)
  if span == 'd' then return (days + 1) * day + 5000000 end
  local function first(d)
    local z = d + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    return doy - math.floor((153 * math.floor((5 * doy + 2) / 153) + 2) / 5) + 1
  end
  repeat days = days + 1 until first(days) == 1
  return days * day + 5000000
end

-- Records that `count` slots of a limit are freed at `at`.
local function add(name, count, at, ttl)
  local key, cell = prefix .. ':' .. name, text(at)
  redis.call('ZADD', key .. ':times', cell, cell)
  redis.call('HINCRBY', key .. ':used', cell, count)
  redis.call('HINCRBY', key .. ':used', 'all', count)
  redis.call('EXPIRE', key .. ':times', ttl)
  redis.call('EXPIRE', key .. ':used', ttl)
end

-- Removes `count` slots from those that are freed at `cell`.
local function remove(name, count, cell)
  local key = prefix .. ':' .. name
  if redis.call('HINCRBY', key .. ':used', cell, -count) <= 0 then
    redis.call('HDEL', key .. ':used', cell)
    redis.call('ZREM', key .. ':times', cell)
  end
  redis.call('HINCRBY', key .. ':used', 'all', -count)
end

-- Changes the number of slots that the instance holds by `count`; never below zero, since its record may have been
-- lost.
local function hold(name, holder, count, ttl)
  local key = prefix .. ':' .. name .. ':held'
  if redis.call('HINCRBY', key, holder, count) <= 0 then redis.call('HDEL', key, holder) end
  redis.call('EXPIRE', key, ttl)
end

-- The used slots of a limit, and the shares of the members.
local function settle(limit)
  local key = prefix .. ':' .. limit.name
  local due = redis.call('ZRANGEBYSCORE', key .. ':times', '-inf', text(now))
  for _, cell in ipairs(due) do remove(limit.name, tonumber(redis.call('HGET', key .. ':used', cell) or 0), cell) end
  limit.later = tonumber(redis.call('HGET', key .. ':used', 'all') or 0)
  local held, ghosts = 0, 0
  local holders = redis.call('HGETALL', key .. ':held')
  for index = 1, #holders, 2 do
    local holder, count = holders[index], tonumber(holders[index + 1])
    local alive = tonumber(redis.call('ZSCORE', members, holder) or -1)
    if alive < 0 then
      alive = now
      redis.call('ZADD', members, text(now), holder)
    end
    if alive > now then
      held = held + count
    elseif alive + limit.lease + 2 * limit.per <= now then
      redis.call('HDEL', key .. ':held', holder)
    else
      ghosts = ghosts + count
    end
  end
  -- Slots of a lost session may be in use, and so may the share of each instance that is not a member. It is unknown
  -- whose session it was, so both count.
  local missing = math.max(0, limit.replicas - redis.call('ZCOUNT', seats, '(' .. text(now), '+inf'))
  limit.used = limit.later + held
  limit.capacity = limit.slots - ghosts - missing * math.floor(limit.slots / limit.replicas)
end

-- Takes the slots of a request, all or none. Returns when it may be sent, or nil, and the limit that it waits for.
local function take(holder, limits, latest)
  local at, last = now, nil
  for _, limit in ipairs(limits) do
    settle(limit)
    limit.need = limit.used + limit.weight - limit.capacity
    if limit.need > 0 then
      -- It is unknown when held slots are freed.
      if limit.need > limit.later then return nil, limit end
      limit.cells = {}
      local seen = 0
      local key = prefix .. ':' .. limit.name
      for _, cell in ipairs(redis.call('ZRANGE', key .. ':times', 0, limit.need - 1)) do
        local count = tonumber(redis.call('HGET', key .. ':used', cell) or 0)
        limit.cells[#limit.cells + 1] = { cell, count }
        seen = seen + count
        if seen >= limit.need then
          limit.cells[#limit.cells][2] = count - (seen - limit.need)
          if tonumber(cell) > at then at, last = tonumber(cell), limit end
          break
        end
      end
    end
  end
  if at > latest then return at, last end
  for _, limit in ipairs(limits) do
    if limit.need > 0 then
      -- The latest of the slots that must be free by then are taken: the others count until their time.
      local rest, index = math.min(limit.weight, limit.need), #limit.cells
      while rest > 0 and index > 0 do
        local part = math.min(rest, limit.cells[index][2])
        remove(limit.name, part, limit.cells[index][1])
        rest, index = rest - part, index - 1
      end
    end
    hold(limit.name, holder, limit.weight, limit.ttl)
  end
  return at
end

-- Parses the limits of a request from the arguments.
local function parse(words, first)
  local limits = {}
  for index = first, #words, 7 do
    limits[#limits + 1] = {
      place = #limits, name = words[index], weight = tonumber(words[index + 1]), slots = tonumber(words[index + 2]),
      replicas = tonumber(words[index + 3]), per = tonumber(words[index + 4]), lease = tonumber(words[index + 5]),
      ttl = tonumber(words[index + 6]),
    }
  end
  return limits
end

-- Grants slots to the requests that wait for a limit, in order.
local function serve(name)
  local queue = prefix .. ':' .. name .. ':queue'
  for _ = 1, 1000 do
    local head = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    local line = head[1]
    if not line then return end
    local words = {}
    for word in line:gmatch('%S+') do words[#words + 1] = word end
    local holder, id, latest = words[2], words[3], tonumber(words[4])
    local limits = parse(words, 5)
    if latest < now then
      redis.call('ZREM', queue, line)
    else
      local at, blocker = take(holder, limits, latest)
      if not at and blocker.name == name then return end
      redis.call('ZREM', queue, line)
      if not at then
        -- Another limit now delays the request; it is queued there with its original arrival time.
        local other = prefix .. ':' .. blocker.name .. ':queue'
        redis.call('ZADD', other, head[2], line)
        redis.call('EXPIRE', other, blocker.ttl)
      elseif at > latest then
        redis.call('PUBLISH', 'weir:' .. holder, table.concat({ id, text(at - now), text(blocker.place) }, ' '))
      elseif redis.call('PUBLISH', 'weir:' .. holder, id .. ' ' .. text(at - now)) == 0 then
        -- The request has left, since the message had no receiver.
        for _, limit in ipairs(limits) do
          hold(limit.name, holder, -limit.weight, limit.ttl)
          if at > now then add(limit.name, limit.weight, at, limit.ttl) end
        end
      end
    end
  end
end

-- beat INSTANCE SEAT NOT_AFTER LAPSE KEEPS SINCE QUIET FORMER…: a heartbeat; the session is alive for LAPSE. SEAT is
-- the name of its process, which relies on this ledger alone until KEEPS (0: it does not), and started before SINCE.
-- Each FORMER is an earlier session of the instance in which it holds slots. Returns how long no slot may be used
-- because of requests that were sent before this server lost its data. The instance receives its own heartbeat, which
-- shows whether messages arrive, and in a new session the pauses in force.
if op == 'beat' then
  local seat, lapse, keeps, since = ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  -- A heartbeat that took too long is outdated.
  if tonumber(ARGV[4]) < now then return redis.error_reply('WEIR late') end
  if tonumber(ARGV[4]) > now + horizon then return redis.error_reply('WEIR clock set back') end
  if redis.call('PUBLISH', 'weir:' .. instance, 'beat') == 0 then return redis.error_reply('WEIR nobody listens') end
  if redis.call('EXISTS', open) == 0 then redis.call('SET', open, text(now + tonumber(ARGV[8]))) end
  redis.call('EXPIRE', open, year)
  if not redis.call('ZSCORE', members, instance) then
    local known = redis.call('HGETALL', pauses)
    for index = 1, #known, 2 do
      local ends, reason = known[index + 1]:match('(%d+) (%d+)')
      if tonumber(ends) <= now then
        redis.call('HDEL', pauses, known[index])
      else
        redis.call('PUBLISH', 'weir:' .. instance,
          table.concat({ 'pause', '-', prefix, known[index], text(ends - now), reason }, ' '))
      end
    end
  end
  redis.call('ZADD', members, text(now + lapse), instance)
  for index = 9, #ARGV do redis.call('ZADD', members, text(now + lapse), ARGV[index]) end
  if keeps == 0 then
    redis.call('ZREM', seats, seat)
  elseif tonumber(redis.call('ZSCORE', seats, seat) or 0) > now
      -- Its predecessor may be a member and dead: each membership must have been renewed since then.
      or redis.call('ZCOUNT', seats, '(' .. text(now), text(since + lapse)) == 0 then
    redis.call('ZADD', seats, text(keeps), seat)
  end
  redis.call('ZREMRANGEBYSCORE', seats, '-inf', text(now))
  redis.call('ZREMRANGEBYSCORE', members, '-inf', text(now - 40 * day))
  redis.call('EXPIRE', members, year)
  redis.call('EXPIRE', seats, year)
  return math.max(0, tonumber(redis.call('GET', open)) - now)
end

-- take INSTANCE ID PATIENCE NOT_AFTER LATER (NAME WEIGHT SLOTS REPLICAS PER LEASE TTL)…: returns after how long the
-- request may be sent; -1 if it waits and will be notified on the channel; -2 if it would wait too long, with the
-- time and the index of the limit, from 0. In the queue it counts as arriving LATER than it did, depending on its
-- urgency.
if op == 'take' then
  local alive = redis.call('ZSCORE', members, instance)
  local since = redis.call('GET', open)
  if not alive or tonumber(alive) <= now or not since or tonumber(since) > now then
    return redis.error_reply('WEIR unknown instance')
  end
  if tonumber(ARGV[5]) < now then return redis.error_reply('WEIR late') end
  if tonumber(ARGV[5]) > now + horizon then return redis.error_reply('WEIR clock set back') end
  local latest = now + tonumber(ARGV[4])
  local limits = parse(ARGV, 7)
  local blocker
  for _, limit in ipairs(limits) do
    serve(limit.name)
    if redis.call('EXISTS', prefix .. ':' .. limit.name .. ':queue') == 1 then blocker = limit end
  end
  local at
  if not blocker then at, blocker = take(instance, limits, latest) end
  if at then return at <= latest and at - now or { -2, at - now, blocker.place } end
  -- Requests with the same arrival time keep their order.
  local words = { string.format('%016.0f', redis.call('INCR', prefix .. ':turns')), instance, ARGV[3], text(latest) }
  redis.call('EXPIRE', prefix .. ':turns', year)
  for index = 7, #ARGV do words[#words + 1] = ARGV[index] end
  local queue = prefix .. ':' .. blocker.name .. ':queue'
  redis.call('ZADD', queue, text(now + tonumber(ARGV[6])), table.concat(words, ' '))
  redis.call('EXPIRE', queue, blocker.ttl)
  return -1
end

-- free INSTANCE (NAME WEIGHT DELAY RESOLUTION TTL)…: slots that it held are freed after DELAY: microseconds, or with
-- a prefix `d` or `m`, from when on they count in a day or a month. A weight of 0 only checks the waiting requests.
if op == 'free' then
  for index = 3, #ARGV, 5 do
    local name, weight, delay, step = ARGV[index], tonumber(ARGV[index + 1]), ARGV[index + 2], tonumber(ARGV[index + 3])
    if weight > 0 then
      local span = delay:sub(1, 1)
      local at
      if span == 'd' or span == 'm' then
        at = renewal(now + tonumber(delay:sub(2)), span)
      else
        at = now + tonumber(delay)
      end
      at = math.ceil(at / step) * step
      hold(name, instance, -weight, ARGV[index + 4])
      if at > now then add(name, weight, at, ARGV[index + 4]) end
    end
  end
  for index = 3, #ARGV, 5 do serve(ARGV[index]) end
  return 0
end

-- pause INSTANCE rate|quota KEY LEFT REASON: the provider has rejected a key for this many microseconds; all
-- instances are notified, including those that start later.
if op == 'pause' then
  if redis.call('HLEN', pauses) >= 1000 then
    local known = redis.call('HGETALL', pauses)
    for index = 1, #known, 2 do
      if tonumber(known[index + 1]:match('%d+')) <= now then redis.call('HDEL', pauses, known[index]) end
    end
  end
  if redis.call('HLEN', pauses) < 1000 then
    redis.call('HSET', pauses, ARGV[3] .. ' ' .. ARGV[4], text(now + tonumber(ARGV[5])) .. ' ' .. ARGV[6])
    redis.call('EXPIRE', pauses, year)
  end
  return redis.call('PUBLISH', 'weir:all', table.concat({ 'pause', instance, prefix, ARGV[3], ARGV[4], ARGV[5], ARGV[6] }, ' '))
end

return redis.error_reply('WEIR no such operation')
