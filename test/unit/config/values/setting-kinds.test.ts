import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { autoscaleBounds } from "../../../../src/config/values/autoscale-kind.ts";
import { alwaysOn, countUpTo } from "../../../../src/config/values/kinds.ts";
import { account, byteCount, environment } from "../../../../src/config/values/process-kinds.ts";
import {
  addresses,
  bindList,
  httpProtocols,
  proxyMode,
} from "../../../../src/config/values/network-kinds.ts";
import {
  existingDirectory,
  requestPaths,
  startDirectory,
} from "../../../../src/config/values/path-kinds.ts";
import { workerClass } from "../../../../src/config/values/worker-class.ts";
import { facts } from "../facts.ts";
import { parseRefuses, parseTakes } from "./parse-tables.ts";

const memory = byteCount("none", 16 * 1024 * 1024);
const requestFieldCount = countUpTo(32_768);

parseTakes([
  ["paths of requests", requestPaths, "/health, /ready,", ["/health", "/ready"]],
  ["no paths", requestPaths, "", []],
  ["a path as it is sent", requestPaths, ["/caf%C3%A9/"], ["/caf%C3%A9/"]],
  ["worker class async", workerClass, "async", "async"],
  ["worker class serve", workerClass, "serve", "serve"],
  ["worker class sync", workerClass, "sync", "sync"],
  ["worker class gthread, a word for sync", workerClass, "gthread", "sync"],
  ["a class of one's own", workerClass, "./own.ts:Own", "./own.ts:Own"],
  ["a class of a package", workerClass, " @scope/own/class:Own ", "@scope/own/class:Own"],
  ["an absolute directory", startDirectory, tmpdir(), tmpdir()],
  ["a directory from the start directory", startDirectory, "../tmp/.", "/tmp"],
  ["a directory that exists", existingDirectory, "/tmp", "/tmp"],
  ["an environment entry, blanks kept", environment, ["A= b "], ["A= b "]],
  ["an empty environment value", environment, "A=", ["A="]],
  ["a value with =", environment, "A=b=c", ["A=b=c"]],
  ["0 fields as the maximum", requestFieldCount, 0, 32_768],
  ["a number of fields", requestFieldCount, 100, 100],
  ["all peers", addresses, "*", ["*"]],
  ["addresses", addresses, "127.0.0.1, ::1", ["127.0.0.1", "::1"]],
  ["v4 networks", addresses, "10.0.0.0/8,192.168.1.128/25", ["10.0.0.0/8", "192.168.1.128/25"]],
  ["v6 networks", addresses, "fe80::/10,::/0", ["fe80::/10", "::/0"]],
  ["a v4-mapped network", addresses, "::ffff:10.0.0.0/104", ["::ffff:10.0.0.0/104"]],
  ["a user number", account, 33, 33],
  ["a user number as text", account, "33", 33],
  ["a user name", account, "www-data", "www-data"],
  ["true for PROXY", proxyMode, true, "auto"],
  ["none for PROXY", proxyMode, "None", "off"],
  ["v2 for PROXY", proxyMode, "V2", "v2"],
  ["no autoscale", autoscaleBounds, null, null],
  ["bounds", autoscaleBounds, "2..8", { min: 2, max: 8, upAfter: 10, downAfter: 120 }],
  [
    "as many as CPUs",
    autoscaleBounds,
    " 1..auto ",
    { min: 1, max: 7, upAfter: 10, downAfter: 120 },
  ],
  [
    "bounds and times",
    autoscaleBounds,
    { min: 2, max: "auto", upAfter: 300, downAfter: 400 },
    { min: 2, max: 7, upAfter: 300, downAfter: 400 },
  ],
  [
    "a long time to go up, and none less to go down",
    autoscaleBounds,
    { min: 2, max: 2, upAfter: 300 },
    { min: 2, max: 2, upAfter: 300, downAfter: 300 },
  ],
  ["protocols", httpProtocols, "h2,h1", ["h2", "h1"]],
  ["no protocol", httpProtocols, "", ["h1"]],
]);

const classes = "must be async, sync, serve or a class of your own, MODULE:CLASS";
const paths = "must be exact paths that begin with /, without query";
const networks = "must be IP addresses, networks (10.0.0.0/8) or *";

parseRefuses([
  ["a number for autoscale", autoscaleBounds, 4, "must be MIN..MAX or an object, got 4"],
  ["a word", autoscaleBounds, "on", "must be MIN..MAX, as 2..8 or 1..auto, got 'on'"],
  ["a bound", autoscaleBounds, "2..", "must be MIN..MAX, as 2..8 or 1..auto, got '2..'"],
  ["bounds the wrong way round", autoscaleBounds, "8..2", "min must be at most max, got 8..2"],
  ["no worker", autoscaleBounds, "0..2", "min must be at least 1, got 0"],
  ["one bound", autoscaleBounds, { min: 1 }, "max must be a whole number, got undefined"],
  [
    "what it doesn't have",
    autoscaleBounds,
    { min: 1, max: 2, step: 2 },
    "has min, max, upAfter, downAfter, and no 'step'",
  ],
  [
    "a time that is too short",
    autoscaleBounds,
    { min: 1, max: 2, upAfter: 1 },
    "upAfter must be from 2 to 86400, got 1",
  ],
  [
    "down sooner than up",
    autoscaleBounds,
    { min: 1, max: 2, downAfter: 9 },
    "downAfter must be at least upAfter, got 9 and 10",
  ],
  ...["health", "/a?b", "/a#b", "/static/*", "/a b", "/caf\u00e9"].map(
    (path) => [`path ${path}`, requestPaths, path, `${paths}, got '${path}'`] as const,
  ),
  [
    "worker class of uvicorn",
    workerClass,
    "uvicorn.workers.UvicornWorker",
    "uvicorn.workers.UvicornWorker: Python only; use async",
  ],
  [
    "worker class of uvicorn_worker",
    workerClass,
    "uvicorn_worker.UvicornWorker",
    "uvicorn_worker.UvicornWorker: Python only; use async",
  ],
  ["worker class tornado", workerClass, "tornado", "tornado: Python only; use async"],
  [
    "a worker class of Python",
    workerClass,
    "egg:gunicorn#sync",
    "egg:gunicorn#sync: Python only; use async",
  ],
  ["another worker class", workerClass, "Async", `${classes}, got 'Async'`],
  ["a module without a class", workerClass, "./own.ts", `${classes}, got './own.ts'`],
  ["a class without a module", workerClass, ":Own", `${classes}, got ':Own'`],
  ["a call", workerClass, "./own.ts:Own()", `${classes}, got './own.ts:Own()'`],
  ["a property", workerClass, "./own.ts:own.Class", `${classes}, got './own.ts:own.Class'`],
  ["a number", workerClass, 5, `${classes}, got 5`],
  [
    "a class",
    workerClass,
    Map,
    "must be the text MODULE:CLASS, got a function: each worker loads it for itself, by its name",
  ],
  ["a missing directory", startDirectory, "/nowhere", "can't chdir to '/nowhere'"],
  ["a file as directory", startDirectory, import.meta.path, `can't chdir to '${import.meta.path}'`],
  ["no directory", existingDirectory, "nope", "must be an existing directory, got 'nope'"],
  ["an entry without =", environment, ["A=1", "FOO"], "must be KEY=VALUE, got 'FOO'"],
  ["an entry without a name", environment, "=1", "must be KEY=VALUE, got '=1'"],
  ["a number as entry", environment, [1], "must be KEY=VALUE, got 1"],
  [
    "too many fields",
    requestFieldCount,
    32_769,
    "must be from 0 (acts as 32768) to 32768, got 32769",
  ],
  ["a hostname as peer", addresses, "localhost", `${networks}, got 'localhost'`],
  ["a prefix that is no number", addresses, "10.0.0.0/a", `${networks}, got '10.0.0.0/a'`],
  ["two prefixes", addresses, "10.0.0.0/8/8", `${networks}, got '10.0.0.0/8/8'`],
  [
    "a long prefix",
    addresses,
    "10.0.0.0/33",
    "must be a network with a prefix of at most 32, got '10.0.0.0/33'",
  ],
  ["host bits", addresses, "10.0.0.1/8", "must be a network without host bits, got '10.0.0.1/8'"],
  [
    "v6 host bits",
    addresses,
    "fe80::1/64",
    "must be a network without host bits, got 'fe80::1/64'",
  ],
  ["no address", bindList, [], "must be at least one address, got []"],
  [
    "a size in letters",
    memory,
    "5X",
    "must be a number of bytes, or a number with K, M or G, got '5X'",
  ],
  [
    "half a gigabyte",
    memory,
    "0.5G",
    "must be a number of bytes, or a number with K, M or G, got '0.5G'",
  ],
  ["less than a worker needs", memory, "512", "must be 0 (none), or at least 16M, got '512'"],
  ["off what is always on", alwaysOn("it is so"), false, "can't be off: it is so"],
  ["another PROXY mode", proxyMode, "v3", "must be off, v1, v2 or auto, got 'v3'"],
  ["a number as PROXY mode", proxyMode, 1, "must be off, v1, v2 or auto, got 1"],
  ["another protocol", httpProtocols, "h1,h4", "must be h1, h2 or h3, got 'h4'"],
  ["a protocol twice", httpProtocols, "h1,h1", "must be different protocols, got 'h1,h1'"],
]);

test.each([
  [0, 0],
  ["0", 0],
  [20_000_000, 20_000_000],
  ["512M", 512 * 1024 ** 2],
  ["1g", 1024 ** 3],
  ["65536K", 65_536 * 1024],
])("byteCount: %j is %d bytes", (value, bytes) => {
  expect(memory.parse(value, facts)).toBe(bytes);
});
