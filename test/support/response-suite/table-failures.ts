/** Differences where an answer fails: what can't be sent, and what breaks on its way. */
import { type Case, type Difference, failed, gets, page, pageHead } from "./case.ts";

const hookHead = {
  status: "503",
  reason: "Service Unavailable",
  "content-type": "text/plain;charset=utf-8",
  "content-length": "8",
  "x-hook": "yes",
};
const hookSays = { ...hookHead, body: "an Error" };

/** A 500, or what the `error` hook says, where Bun.serve says something else. */
function refused(rows: readonly string[]): Case[] {
  return [
    { app: "bare", rows, requests: gets, ours: { ...failed, ...page, framing: "length" } },
    { app: "hooked", rows, requests: gets, ours: { ...hookSays, framing: "length" } },
    ...refusedHead(rows),
  ];
}

function refusedHead(rows: readonly string[], more: Case["ours"] = {}): Case[] {
  return [
    { app: "bare", rows, requests: ["HEAD"], ours: { ...failed, ...pageHead, ...more } },
    { app: "hooked", rows, requests: ["HEAD"], ours: { ...hookHead, ...more } },
  ];
}

const notResponses = [
  "undefined returned",
  "a promise of undefined returned",
  "null returned",
  "a string returned",
  "a number returned",
  "a plain object returned",
  "a Headers returned",
  "a ReadableStream returned",
  "a thenable returned",
];

const failsAtOnce = [
  "a direct stream that throws at once",
  "a direct stream that throws after a write",
  "a stream of numbers",
  "a stream that fails when it is made",
  "an async generator that throws at once",
];

const poorStream = ["an error hook that returns a stream that fails"];

const answeredWithPage = {
  answer: null,
  ...failed,
  ...page,
  framing: "length",
  date: "now",
  end: "complete",
  next: "closed",
};

export const failureDifferences: readonly Difference[] = [
  {
    reason:
      "A handler that returns no Response has a bug, and is answered with 500, or by the `error` hook, where Bun.serve says 204 as if all were well.",
    cases: refused(notResponses),
  },
  {
    reason:
      "A Response with status 101 is 500, or what the `error` hook says: it hands the connection to another protocol (RFC 9110 §15.2.2), and no Response can do that.",
    cases: refused(["status 101"]),
  },
  {
    reason:
      "HEAD is 500, or what the `error` hook says, where GET would be (RFC 9110 §9.3.2): a missing file, a directory, a body that was read or is locked.",
    cases: [
      ...refusedHead([
        "a missing file",
        "a Response made of a missing file's body",
        "a directory",
        "a Response that was read",
        "the same Response each time",
        "the same Response.json() each time",
        "the same stream each time",
      ]),
      ...refusedHead(
        [
          "a stream that was read",
          "a Response whose body is locked",
          "a Response whose body was read through another",
          "a Response made of another's body, which is read then",
        ],
        { "transfer-encoding": null },
      ),
      {
        app: "hooked",
        rows: [
          "an error hook that returns a missing file",
          "an error hook that returns a Response that was read",
        ],
        requests: ["HEAD"],
        ours: { ...failed, ...pageHead },
      },
    ],
  },
  {
    reason:
      "A body of which the app has read a part is refused with 500; Bun.serve sends the rest as if it were all.",
    cases: [
      {
        rows: ["a stream that was partly read"],
        requests: ["GET", "HEAD"],
        ours: { "transfer-encoding": null },
      },
      ...refused(["a stream that was partly read"]),
    ],
  },
  {
    reason:
      "A stream that fails before the head is out is answered with 500, or by the `error` hook unless it is the hook's own; Bun.serve closes the connection without an answer.",
    cases: [
      {
        app: "bare",
        rows: failsAtOnce,
        requests: gets,
        theirs: { answer: "closed" },
        ours: answeredWithPage,
      },
      {
        app: "hooked",
        rows: failsAtOnce.filter((row) => row !== "a stream of numbers"),
        requests: gets,
        theirs: { answer: "closed" },
        ours: {
          answer: null,
          ...hookSays,
          framing: "length",
          date: "now",
          end: "complete",
          next: "closed",
        },
      },
      {
        app: "hooked",
        rows: poorStream,
        requests: gets,
        ours: answeredWithPage,
      },
      { rows: [...failsAtOnce, ...poorStream], requests: ["GET"], ours: { next: "answered" } },
    ],
  },
  {
    reason:
      "The head of a stream that keeps the client waiting is sent before its first chunk; a failure after that ends the connection inside the body (RFC 9112 §8).",
    cases: [
      {
        rows: ["a stream that fails before its first chunk"],
        requests: gets,
        ours: {
          answer: null,
          status: "200",
          reason: "OK",
          body: "",
          framing: "close",
          date: "now",
          end: "cut",
          next: "closed",
        },
      },
      {
        rows: ["a stream that fails before its first chunk"],
        requests: ["GET"],
        ours: { framing: "chunked", "transfer-encoding": "chunked" },
      },
    ],
  },
];
