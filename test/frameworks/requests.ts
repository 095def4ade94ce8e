/** The requests that every app gets, natively and under gunicorn-ts. What the right answer is, the native one says. */
import { until } from "../support/server.ts";
import { RawClient } from "../support/raw-client.ts";
import { type Asked, bytesOf, type Observation, observe } from "./observe.ts";

export interface Row {
  readonly name: string;
  /** What the native answer has at least to be, or the app is no app to compare with. */
  readonly isAnswer: (native: Observation) => boolean;
  readonly ask: (port: number) => Promise<Observation>;
}

export const boundary = "----parts";

export function part(disposition: string, content: string | Uint8Array, type?: string): Buffer {
  const typeLine = type === undefined ? "" : `\r\nContent-Type: ${type}`;
  const head = `--${boundary}\r\nContent-Disposition: form-data; ${disposition}${typeLine}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from("\r\n")]);
}

export const fileBytes = Uint8Array.from({ length: 3000 }, (_, index) => (index * 7) % 256);

const parts = Buffer.concat([
  part('name="note"', "gr\u00fc\u00dfe"),
  part('name="file"; filename="a file.bin"', fileBytes, "application/octet-stream"),
  Buffer.from(`--${boundary}--\r\n`),
]);

const large = Buffer.alloc(5 * 1024 * 1024, "0123456789abcdefghijklmnopqrstuvwxyz\n");

export const json = { "Content-Type": "application/json" };
export const has = (text: string) => (native: Observation) =>
  isOk(native) && native.body.includes(text);
export const isOk = ({ status }: Observation) => status.startsWith("20");
export const hasStatus = (pattern: RegExp) => (native: Observation) => pattern.test(native.status);

export function row(name: string, isAnswer: Row["isAnswer"], asked: Asked): Row {
  return { name, isAnswer, ask: (port) => observe(port, asked) };
}

/** A client that leaves before the answer is out; the app counts those of whom it was told. */
async function leave(port: number): Promise<Observation> {
  const before = await observe(port, { path: "/left" });
  if (!isOk(before)) return before;
  {
    using client = await RawClient.connect(port);
    client.send(bytesOf({ path: "/leave" }));
    await client.seen("waiting");
  }
  return until("the app to be told that a client left", async () => {
    const left = await observe(port, { path: "/left" });
    return Number(left.body) > Number(before.body) ? { ...left, body: "told" } : null;
  });
}

/** Logs in, and comes again with the cookie. */
async function comeAgain(port: number): Promise<Observation> {
  const first = await observe(port, { path: "/session" });
  const cookie = first.fields["set-cookie"]?.[0]?.split(";")[0] ?? "";
  return observe(port, { path: "/session", headers: { Cookie: cookie } });
}

/** Bodies that the app reads as they come. */
function uploads(headers: Readonly<Record<string, string>>): readonly Row[] {
  const asked = { method: "POST", path: "/large", headers, body: large };
  return [
    row("5 MiB up", has(String(large.length)), asked),
    row("5 MiB up in chunks", has(String(large.length)), { ...asked, chunkBytes: 60_000 }),
  ];
}

export const rows: readonly Row[] = [
  row("query", has("two words"), { path: "/query?a=1&b=two%20words&c=%C3%A9&list=x&list=y" }),
  row("JSON", has("\u00c3\u00a9"), {
    method: "POST",
    path: "/json",
    headers: json,
    body: JSON.stringify({ text: "\u00e9", list: [1, 2], nested: { yes: true } }),
  }),
  row("JSON in chunks", has("\u00c3\u00a9"), {
    method: "POST",
    path: "/json",
    headers: json,
    body: JSON.stringify({ text: "\u00e9".repeat(100) }),
    chunkBytes: 50,
  }),
  row("JSON that is none", hasStatus(/^[245]/), {
    method: "POST",
    path: "/json",
    headers: json,
    body: "{",
  }),
  row("form", has("two words"), {
    method: "POST",
    path: "/form",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: "a=1&b=two+words&c=%C3%A9",
  }),
  row("file of a form", has("3000"), {
    method: "POST",
    path: "/upload",
    headers: { "Content-Type": `multipart/form-data; boundary=${boundary}` },
    body: parts,
  }),
  row("stream", has("three"), { path: "/stream" }),
  row("SSE", has("data: three"), { path: "/sse", headers: { Accept: "text/event-stream" } }),
  row("cookies", ({ fields }) => fields["set-cookie"]?.length === 2, {
    path: "/cookies",
    headers: { Cookie: "one=1; two=2" },
  }),
  row("redirect", hasStatus(/^30[1237]/), { path: "/redirect" }),
  row("404", hasStatus(/^404/), { path: "/missing/page" }),
  row("thrown error", hasStatus(/^5/), { path: "/throw" }),
  row("HEAD", isOk, { method: "HEAD", path: "/query?a=1" }),
  row("OPTIONS", hasStatus(/^[24]/), {
    method: "OPTIONS",
    path: "/query",
    headers: { Origin: "http://other.example", "Access-Control-Request-Method": "GET" },
  }),
  row("5 MiB down", has(`${large.length} bytes`), { path: "/large" }),
  row("HEAD of 5 MiB", isOk, { method: "HEAD", path: "/large" }),
  ...uploads({}),
  row("file", isOk, { path: "/file.txt" }),
  row("Range", hasStatus(/^206/), { path: "/file.txt", headers: { Range: "bytes=2-5" } }),
  row("file that the client has", hasStatus(/^304/), {
    path: "/file.txt",
    headers: { "If-Modified-Since": "Fri, 01 Jan 2038 00:00:00 GMT" },
  }),
  row("client address", has("127.0.0.1"), { path: "/address" }),
  { name: "client gone", isAnswer: has("told"), ask: leave },
  row("gzip", ({ fields }) => fields["content-encoding"]?.[0] === "gzip", {
    path: "/text",
    headers: { "Accept-Encoding": "gzip" },
  }),
  { name: "session", isAnswer: has("2"), ask: comeAgain },
];

const typed = uploads({ "Content-Type": "application/octet-stream" });

/** The same for an app that sees no body without a Content-Type. */
export const typedRows: readonly Row[] = rows.map((row) => {
  return typed.find(({ name }) => name === row.name) ?? row;
});
