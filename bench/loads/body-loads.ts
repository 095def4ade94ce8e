/** Loads that differ in their heads and bodies. The number of workers makes no difference to them. */
import { plainTraffic, type Traffic } from "../drivers/driver.ts";
import type { Load } from "./load.ts";

const mebibyte = 2 ** 20;

/** Large bodies on fewer connections, so that what is measured isn't the sockets' buffers. */
const largeTraffic: Traffic = { ...plainTraffic, connections: 16 };

export const bodyLoads: readonly Load[] = [
  load("unique", "hello, each request with a cookie and a traceparent of its own", "hello", {
    ...plainTraffic,
    unique: true,
  }),
  load("async", "a handler that waits for one promise", "async"),
  load("six-headers", "six fields set by the app", "six-headers"),
  load("text-64k", "a text of 64 KiB, ASCII", "text-64k"),
  load("latin-64k", "a text of 64 KiB, all letters beyond ASCII", "latin-64k"),
  load("json-100k", "Response.json() of some 100 KiB", "json-100k"),
  load("file-16k", "a file of 16 KiB", "file-16k"),
  load("file-1m", "a file of 1 MiB", "file-1m", largeTraffic),
  load("stream", "a ReadableStream of 16 chunks of 4 KiB", "stream"),
  load("generator", "an async generator of 16 chunks of 4 KiB", "generator"),
  load("post-json", "2 KiB of JSON, read by json()", "post-json", {
    ...plainTraffic,
    method: "POST",
    bodyBytes: 2048,
    bodyKind: "json",
  }),
  load("multipart", "a form with a file of 1 MiB, read by formData()", "multipart", {
    ...largeTraffic,
    method: "POST",
    bodyBytes: mebibyte,
    bodyKind: "multipart",
  }),
];

function load(name: string, description: string, app: string, traffic = plainTraffic): Load {
  return { name, description, app, traffic, feature: null, tuned: false, badWorkers: "too many" };
}
