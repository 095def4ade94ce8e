import { autoscaleBounds } from "../values/autoscale-kind.ts";
import { alwaysOn, integer, oneOf, seconds, workerCount } from "../values/kinds.ts";
import { requestPaths } from "../values/path-kinds.ts";
import { byteCount } from "../values/process-kinds.ts";
import { workerClass } from "../values/worker-class.ts";
import { setting } from "../setting.ts";

export const workerProcesses = {
  workers: setting({
    flags: [{ long: "--workers", short: "-w" }],
    kind: workerCount,
    default: 1,
    env: { variable: "WEB_CONCURRENCY", read: (text) => text },
    status: "works",
    description: `How many worker processes handle requests
"auto" is one for each CPU that this process may use: affinity and cgroup quota count. At most 1024. TTIN and TTOU change
the number while the server runs.`,
  }),
  autoscale: setting({
    flags: [{ long: "--autoscale" }],
    kind: autoscaleBounds,
    default: null,
    defaultText: "off",
    ours: true,
    status: "works",
    description: `Between which numbers the load says how many workers there are
2..8, or 2..auto for as many as there are CPUs; in a file also { min, max, upAfter, downAfter }. One worker more when the
load of the last 10 seconds (upAfter) needs it, one less when all weren't needed for 2 minutes (downAfter), each with a line
that says why. workers is how many it begins with, or min. TTIN, TTOU and ctl scale hold until the next reload:
docs/tuning.md.`,
  }),
  workerClass: setting({
    flags: [{ long: "--worker-class", short: "-k" }],
    kind: workerClass,
    default: "async",
    status: "works",
    description: `The kind of worker: async, sync, serve or MODULE:CLASS
async: this server's own HTTP engine, many requests at a time. sync (or gthread): the same engine, one request at a time
for each worker, or as many as threads says, and each connection ends with its answer. serve: Bun.serve in each worker; it
can't honour the limits on requests and refuses them. MODULE:CLASS is a class of your own, of a file (./scgi.ts:ScgiServing,
seen from chdir) or of a package: docs/worker-classes.md.`,
  }),
  threads: setting({
    flags: [{ long: "--threads" }],
    kind: integer({ zero: "the worker class's own number" }),
    default: 0,
    status: "works",
    description: `How many requests the app of a worker has at a time
Others wait for their turn, in order. Not set it is one for sync, and without a bound for async. JavaScript has no request
threads: these are requests whose answers are under way in one event loop. When all of them stand still for timeout, the
worker is replaced, as a sync worker of Gunicorn is.`,
  }),
  workerConnections: setting({
    flags: [{ long: "--worker-connections" }],
    kind: integer({ min: 1 }),
    default: 1000,
    status: "works",
    description: `How many clients a worker serves at a time
At the bound it stops accepting until one leaves.`,
  }),
  shedLatencyMs: setting({
    flags: [{ long: "--shed-latency-ms" }],
    kind: integer({ zero: "never", max: 60_000 }),
    default: 0,
    unit: "milliseconds",
    ours: true,
    status: "works",
    description: `Answer 503 when requests wait for longer than this until the app is asked
For a worker that gets more than it can compute: once requests have waited longer for half a second, it hands on what it can
do in that time, and answers the newest with 503 and Retry-After, until the load is less. Waits for the event loop count, and
for a turn by threads; what the app waits for itself doesn't: docs/overload.md.`,
  }),
  shedExempt: setting({
    flags: [{ long: "--shed-exempt" }],
    kind: requestPaths,
    default: [],
    ours: true,
    status: "works",
    description: `Paths whose requests are never refused by shed_latency_ms
Health checks, separated by commas: /health,/ready. A path is compared as the client has sent it, without its query.`,
  }),
  maxRequests: setting({
    flags: [{ long: "--max-requests" }],
    kind: integer({ zero: "never" }),
    default: 0,
    status: "works",
    description: `Replace a worker after this many requests
Against slow leaks. The successor is ready before the worker leaves, and no request is lost.`,
  }),
  maxRequestsJitter: setting({
    flags: [{ long: "--max-requests-jitter" }],
    kind: integer(),
    default: 0,
    status: "works",
    description: `Add up to this many requests at random to max_requests
Drawn once for each worker, so that workers don't all leave together.`,
  }),
  waitForNewWorkers: setting({
    flags: [{ long: "--wait-for-new-workers" }],
    kind: alwaysOn("a worker never leaves before its successor is ready"),
    default: true,
    status: "works",
    description: `A worker that is to be replaced serves on until its successor is ready
Always so here, whatever the reason for the replacement; the flag is known so that command lines of the fork that has it
still work. It can't be switched off.`,
  }),
  maxRestartingWorkers: setting({
    flags: [{ long: "--max-restarting-workers" }],
    kind: integer({ zero: "no bound" }),
    default: 0,
    status: "works",
    description: `How many workers may be in replacement at a time
For every kind of planned replacement, a reload included. A replacement is over when the successor is ready, and warm; a
worker that died is replaced at once.`,
  }),
  warmupRequests: setting({
    flags: [{ long: "--warmup-requests" }],
    kind: integer(),
    default: 0,
    status: "works",
    description: `How many requests a successor handles before the worker that it replaces may leave
Both serve meanwhile. Without enough traffic the successor counts as warm after 10 seconds. 0: as soon as it listens.`,
  }),
  maxMemory: setting({
    flags: [{ long: "--max-memory" }],
    metavar: "BYTES",
    kind: byteCount("no limit", 16 * 1024 * 1024),
    default: 0,
    unit: "bytes",
    ours: true,
    status: "works",
    description: `Replace a worker whose resident memory is above this; 512M, 1G or a number of bytes
Read once a second, on Linux, from 5 seconds after its start on. The successor is ready before the worker leaves. Where a
new worker is above it already, the log says so once, and replacements come more and more slowly.`,
  }),
  maxLifetime: setting({
    flags: [{ long: "--max-lifetime" }],
    kind: seconds("no limit"),
    default: 0,
    ours: true,
    status: "works",
    description: `Replace a worker that has served for this long
The successor is ready before the worker leaves.`,
  }),
  maxLifetimeJitter: setting({
    flags: [{ long: "--max-lifetime-jitter" }],
    kind: seconds("none"),
    default: 0,
    ours: true,
    status: "works",
    description: `Add up to this much at random to max_lifetime
Drawn once for each worker, so that workers don't all leave together.`,
  }),
  drainDelay: setting({
    flags: [{ long: "--drain-delay" }],
    kind: seconds("none"),
    default: 0,
    ours: true,
    status: "works",
    description: `How long to serve on after TERM before draining
For load balancers that are slow to notice: new connections are still accepted, and each answer says Connection: close. INT
and QUIT end it.`,
  }),
  timeout: setting({
    flags: [{ long: "--timeout", short: "-t" }],
    kind: seconds("never"),
    default: 30,
    status: "works",
    description: `Kill and replace a worker that is silent for this long
A worker's heartbeat comes from its event loop, so only one that blocks it is silent: slow but asynchronous requests
are not. ABRT first, then KILL.`,
  }),
  gracefulTimeout: setting({
    flags: [{ long: "--graceful-timeout" }],
    kind: seconds("at once"),
    default: 30,
    status: "works",
    description: `How long a stopping worker may finish its requests
What is left after it is cut, and the log says what.`,
  }),
  keepalive: setting({
    flags: [{ long: "--keep-alive" }],
    kind: seconds("no keep-alive"),
    default: 2,
    status: "works",
    description: `How long an idle connection waits for its next request
Longer behind a load balancer that keeps connections open: more than its own idle time. Refused with worker class serve.`,
  }),
  asgiLoop: setting({
    flags: [{ long: "--asgi-loop" }],
    kind: oneOf("auto", "asyncio", "uvloop"),
    default: "auto",
    status: { pythonOnly: "Bun has one event loop" },
    description: `The event loop of Gunicorn's asgi worker`,
  }),
  asgiLifespan: setting({
    flags: [{ long: "--asgi-lifespan" }],
    kind: oneOf("auto", "on", "off"),
    default: "auto",
    status: "works",
    description: `Whether the app's startup and shutdown exports run
auto: if it has them. on: it must have one of them. off: never. startup is awaited before the worker serves; if it fails, or
takes more than 30 seconds, the worker can't boot. shutdown is awaited when the worker has served its last request, for what
is left of graceful_timeout and 30 seconds at most; at a quick stop it isn't called.`,
  }),
  appType: setting({
    flags: [{ long: "--app-type" }],
    kind: oneOf("auto", "fetch", "node"),
    default: "auto",
    ours: true,
    status: "works",
    description: `What kind of app the module has: auto, fetch or node
auto: what has fetch, and functions, are fetch apps; frameworks that have a listener, servers of node:http, and functions
whose second parameter is called res, response or reply, are node listeners. fetch: a function is always a fetch app,
whatever its parameters are called. node: a function is always a node listener (req, res). What can't be served so is
refused.`,
  }),
  asgiDisconnectGracePeriod: setting({
    flags: [{ long: "--asgi-disconnect-grace-period" }],
    kind: seconds("at once"),
    default: 3,
    status: "works",
    description: `How long an app may write nothing after its client has sent FIN
Such a client may still read, or may have left. Then request.signal aborts, the stream of the answer is cancelled, and the
connection closes. A client that is known to have left, by a reset, isn't waited for. Refused with worker class serve.`,
  }),
  websocketMaxMessageSize: setting({
    flags: [{ long: "--websocket-max-message-size" }],
    kind: integer({ zero: "what the app says", max: 2_147_483_647 }),
    default: 0,
    defaultText: "what the app says, Bun's is 16777216",
    unit: "bytes",
    status: "works",
    description: `The longest message of a websocket
Its fragments added up. A longer one closes the websocket with 1009. An app that says more, by websocket.maxPayloadLength,
gets this; one that says less gets what it says.`,
  }),
  httpParser: setting({
    flags: [{ long: "--http-parser" }],
    kind: oneOf("auto", "fast", "python"),
    default: "auto",
    status: { pythonOnly: "use --worker-class async (own parser) or serve (Bun's)" },
    description: `Which of Gunicorn's two HTTP parsers reads requests`,
  }),
};
