-- Sends so many requests over all connections, each a hook of its own, and ends at once.
-- Arguments: file of the body, file with a hookInstance and a token a line, number, connections.
local ffi = require("ffi")
ffi.cdef([[
  struct timespec { long seconds; long nanoseconds; };
  int clock_gettime(int clock, struct timespec *now);
  int kill(int pid, int signal);
  int getpid(void);
]])
local MONOTONIC, INTERRUPT, FOREVER = 1, 2, 3600000
local INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
local before, after, lines, line, number, connections
local asked, only = 0, nil
seconds = 0

local function now()
  local time = ffi.new("struct timespec")
  ffi.C.clock_gettime(MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

function setup(thread)
  only = thread
end

function init(arguments)
  local file = io.open(arguments[1], "rb")
  local body = file:read("*a")
  file:close()
  local from, to = body:find(INSTANCE, 1, true)
  before, after = body:sub(1, from - 1), body:sub(to + 1)
  lines = io.open(arguments[2])
  number, connections = tonumber(arguments[3]), tonumber(arguments[4])
end

-- After a lost connection there are too few lines: the last one comes again, and is refused.
function request()
  line = lines:read("*l") or line
  local instance, token = line:match("(%S+) ?(%S*)")
  local headers = { ["Content-Type"] = "application/json" }
  if token ~= "" then
    headers["Authorization"] = "Bearer " .. token
  end
  return wrk.format("POST", nil, headers, before .. instance .. after)
end

-- Called before each request of a connection, so once more by each when all is answered.
function delay()
  if asked == 0 then
    seconds = now()
  end
  asked = asked + 1
  if asked <= number then
    return 0
  end
  if asked == number + connections then
    seconds = now() - seconds
    ffi.C.kill(ffi.C.getpid(), INTERRUPT)
  end
  return FOREVER
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{"answered": %d, "failed": %d, "seconds": %f, "p50": %f, "p99": %f}\n',
    summary.requests, failed, only:get("seconds"),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
