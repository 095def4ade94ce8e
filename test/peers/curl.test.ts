import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  curl,
  type CurlResult,
  describeWith,
  mirrorApp,
  mirrored,
  type Mirrored,
  repeatedText,
  sha256,
} from "../support/peers.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";

const longBody = repeatedText(3_000_000);

interface Row {
  readonly claim: string;
  /** URL stands for the server's address, FOLDER for its folder. */
  readonly args: readonly string[];
  readonly input?: string;
  readonly code?: number;
  readonly output?: string;
  /** What the app must have seen. */
  readonly seen?: Partial<Omit<Mirrored, "headers">>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** What stands in the notes of -v, and what doesn't. */
  readonly notes?: readonly string[];
  readonly notNotes?: readonly string[];
}

const measured = (text: string) => ({ bytes: text.length, sha256: sha256(text) });
const facts = ["-w", "\n%{http_code} %{http_version} %{size_download}", "-o", "/dev/null"];

const rows: readonly Row[] = [
  {
    claim: "GET",
    args: ["URL/a/b?c=d%20e&f"],
    seen: { method: "GET", body: measured("") },
    headers: { accept: "*/*", "content-length": undefined, "transfer-encoding": undefined },
  },
  {
    claim: "--http1.0: the answer ends with the connection",
    args: ["-v", "--http1.0", "URL/"],
    seen: { method: "GET" },
    notes: ["> GET / HTTP/1.0", "< HTTP/1.1 200", "Closing connection"],
    notNotes: ["left intact"],
  },
  {
    claim: "--http1.0 with a stream: no chunks",
    args: ["-v", "--http1.0", "URL/stream"],
    output: repeatedText(100_000),
    notNotes: ["< Transfer-Encoding"],
  },
  {
    claim: "--http1.0 with a body",
    args: ["--http1.0", "-d", "some=form", "URL/"],
    seen: { method: "POST", body: measured("some=form") },
    headers: { "content-type": "application/x-www-form-urlencoded" },
  },
  {
    claim: "--http1.0 asking for keep-alive gets it",
    args: ["-v", "--http1.0", "-H", "Connection: keep-alive", "URL/text"],
    output: "0123456789abcdef",
    notes: ["left intact"],
  },
  {
    claim: "a stream on 1.1 is chunked",
    args: ["-v", "URL/stream"],
    output: repeatedText(100_000),
    notes: ["< Transfer-Encoding: chunked"],
  },
  {
    claim: "-T -: chunked from stdin",
    args: ["-T", "-", "URL/"],
    input: longBody,
    seen: { method: "PUT", body: measured(longBody) },
    headers: { "transfer-encoding": "chunked", "content-length": undefined },
  },
  {
    claim: "-T - of nothing",
    args: ["-T", "-", "URL/"],
    input: "",
    seen: { method: "PUT", body: measured("") },
  },
  {
    claim: "-T file: Content-Length",
    args: ["-T", "FOLDER/long", "URL/"],
    seen: { method: "PUT", body: measured(longBody) },
    headers: { "content-length": String(longBody.length), "transfer-encoding": undefined },
  },
  {
    claim: "a form with a file",
    args: ["-F", "name=value", "-F", "file=@FOLDER/small", "URL/"],
    seen: { method: "POST" },
    headers: { "content-type": expect.stringContaining("multipart/form-data; boundary=") },
  },
  {
    claim: "Expect: 100-continue and an app that reads: 100, then the answer",
    args: ["-v", "--expect100-timeout", "25", "-H", "Expect: 100-continue", "-d", "body", "URL/"],
    seen: { method: "POST", body: measured("body") },
    notes: ["< HTTP/1.1 100 Continue", "< HTTP/1.1 200 OK"],
  },
  {
    claim: "Expect: 100-continue before chunks",
    args: ["-v", "--expect100-timeout", "25", "-H", "Expect: 100-continue", "-T", "-", "URL/"],
    input: longBody,
    seen: { method: "PUT", body: measured(longBody) },
    notes: ["< HTTP/1.1 100 Continue", "< HTTP/1.1 200 OK"],
  },
  {
    claim: "Expect: 100-continue and an app that doesn't read: the answer, and nothing is sent",
    args: [
      "-v",
      "--expect100-timeout",
      "25",
      "-H",
      "Expect: 100-continue",
      "-T",
      "FOLDER/long",
      "-w",
      " %{http_code} %{size_upload}",
      "URL/refuse",
    ],
    output: "unread 409 0",
    notes: ["> Expect: 100-continue", "< HTTP/1.1 409"],
    notNotes: ["100 Continue"],
  },
  {
    claim: "an app that doesn't read a body that comes anyway",
    args: ["-H", "Expect:", "-T", "FOLDER/long", "-w", " %{http_code}", "URL/refuse"],
    output: "unread 409",
  },
  {
    claim: "another expectation",
    args: ["-H", "Expect: 200-ok", "-d", "body", ...facts, "URL/"],
    output: expect.stringMatching(/^\n417 1\.1 /),
  },
  {
    claim: "-I: HEAD has GET's fields and no body",
    args: ["-I", "-w", "%{http_code} %{size_download}", "URL/text"],
    output: expect.stringMatching(
      /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 16\r\n(.+\r\n)*\r\n200 0$/i,
    ),
  },
  {
    claim: "-I of a stream",
    args: ["-I", "-w", "%{http_code} %{size_download}", "URL/stream"],
    output: expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n200 0$/),
  },
  {
    claim: "-r: the range reaches the app",
    args: ["-r", "0-9", "URL/"],
    headers: { range: "bytes=0-9" },
  },
  {
    claim: "-r: the server cuts nothing by itself",
    args: ["-r", "0-9", "-w", " %{http_code}", "URL/text"],
    output: "0123456789abcdef 200",
  },
  {
    claim: "--compressed: the app's coding passes through",
    args: ["--compressed", "URL/gzip"],
    output: repeatedText(36_000),
  },
  {
    claim: "--compressed: the app sees what curl takes",
    args: ["--compressed", "URL/"],
    headers: { "accept-encoding": expect.stringContaining("gzip") },
  },
  {
    claim: "--path-as-is: request.url has no dot segments, as in any URL",
    args: ["-v", "--path-as-is", "URL/a/../b/./c?d=../e"],
    seen: { url: "URL/b/c?d=../e" },
    notes: ["> GET /a/../b/./c?d=../e HTTP/1.1"],
  },
  {
    claim: "two URLs on one connection",
    args: ["-w", "|%{num_connects}|", "URL/text", "URL/text"],
    output: "0123456789abcdef|1|0123456789abcdef|0|",
  },
  {
    claim: "bodies of every kind between them",
    args: [
      ["-T", "FOLDER/long", "URL/"],
      ["-T", "-", "URL/"],
      ["-I", "URL/"],
      ["URL/stream"],
      ["URL/missing"],
    ]
      .map((args) => ["-w", "%{http_code} %{num_connects}\n", "-o", "/dev/null", ...args])
      .flatMap((args, index) => (index === 0 ? args : ["--next", ...args])),
    input: longBody,
    output: "200 1\n200 0\n200 0\n200 0\n404 0\n",
  },
  {
    claim: "Connection: close",
    args: ["-H", "Connection: close", "-w", "|%{num_connects}|", "URL/text", "URL/text"],
    output: "0123456789abcdef|1|0123456789abcdef|1|",
  },
  {
    claim: "OPTIONS *",
    args: ["-v", "-X", "OPTIONS", "--request-target", "*", "URL"],
    seen: { method: "OPTIONS" },
    notes: ["> OPTIONS * HTTP/1.1"],
  },
  {
    claim: "GET * is refused",
    args: ["--request-target", "*", ...facts, "URL"],
    output: expect.stringMatching(/^\n400 1\.1 /),
  },
  {
    claim: "the absolute form",
    args: ["--request-target", "http://other:81/path?q", "URL"],
    seen: { url: "http://other:81/path?q" },
  },
  {
    claim: "a method of one's own",
    args: ["-X", "PURGE", "URL/"],
    seen: { method: "PURGE" },
  },
  {
    claim: "fields in any case, empty ones and UTF-8",
    args: ["-H", "X-UPPER: a b", "-H", "X-Empty;", "-A", "agent/1", "-b", "a=1; b=2", "URL/"],
    headers: { "x-upper": "a b", "x-empty": "", "user-agent": "agent/1", cookie: "a=1; b=2" },
  },
  {
    claim: "--fail: 404 is an error without a body",
    args: ["--fail", "URL/missing"],
    code: 22,
    output: "",
    notes: ["404"],
  },
  {
    claim: "--fail-with-body: 404 is an error with its body",
    args: ["--fail-with-body", "URL/missing"],
    code: 22,
    output: "not here",
  },
  {
    claim: "a request over the limits fails cleanly",
    args: ["--fail", "-H", `X-Long: ${"x".repeat(20_000)}`, "URL/"],
    code: 22,
    output: "",
    notes: ["431"],
  },
];

describeWith(["curl"], "curl", () => {
  let server: RunningServer;

  beforeAll(async () => {
    const files = { "app.ts": mirrorApp, long: longBody, small: "small" };
    server = await gunicorn({ files });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const fill = (text: string) => text.replace("URL", server.url).replace("FOLDER", server.folder);

  test.each([...rows])("$claim", async (row) => {
    const { args, input, code = 0, output, seen, headers, notes = [], notNotes = [] } = row;
    const result: CurlResult = await curl(
      args.map(fill),
      input === undefined ? "ignore" : new Blob([input]),
    );
    expect(result.code, result.notes).toBe(code);
    if (output !== undefined) expect(result.output).toEqual(output);
    for (const note of notes) expect(result.notes).toContain(note);
    for (const note of notNotes) expect(result.notes).not.toContain(note);
    if (seen === undefined && headers === undefined) return;
    const mirror = mirrored(result.output);
    const { url, ...others } = seen ?? {};
    if (url !== undefined) expect(mirror.url).toBe(fill(url));
    expect(mirror).toMatchObject(others);
    for (const [name, value] of Object.entries(headers ?? {}))
      expect(mirror.headers[name]).toEqual(value);
  });
});
