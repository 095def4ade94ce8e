/** Differences that a body makes: how its end is told, and what is said about it. */
import { asGet, type Case, type Difference, gets, kept, old } from "./case.ts";
import { largeRanges, rangeApps } from "./ranges.ts";

/** A body without a length where Bun.serve knows it. */
function streamed(rows: readonly string[], more: Case["ours"] = {}): Case[] {
  const coded = { "transfer-encoding": "chunked", "content-length": null, ...more };
  return [
    { rows, requests: ["GET"], ours: { ...coded, framing: "chunked" } },
    { rows, requests: old, ours: { framing: "close", "content-length": null, ...more } },
  ];
}

function streamedHead(rows: readonly string[]): Case {
  const ours = { "transfer-encoding": "chunked", "content-length": null };
  return { rows, requests: ["HEAD"], ours };
}

/** A length where Bun.serve sends a stream. */
function measured(rows: readonly string[], length: string): Case[] {
  const ours = { "content-length": length, "transfer-encoding": null };
  return [
    { rows, requests: ["GET"], ours: { ...ours, framing: "length" } },
    { rows, requests: ["HEAD"], ours },
    { rows, requests: old, ours: { "content-length": length, framing: "length" } },
  ];
}

const undecoded = ["a compressed Response from fetch() that decodes nothing"];

const wrongLength = [
  "Content-Length that is too large",
  "Content-Length that is too small",
  "Content-Length that is no number",
  "Content-Length that is empty",
  "Content-Length that is negative",
  "a file with a wrong Content-Length",
  "a range of a file with a wrong Content-Length",
];
const lengthOfNothing = [
  "Content-Length without a body",
  "a Response from fetch() of HEAD",
  "a compressed Response from fetch() of HEAD",
];

const otherThings = [
  "a String object",
  "an object with toString",
  "an array",
  "a generator",
  "a SharedArrayBuffer",
];
const borrowed = [
  "the stream of a file",
  "a clone of a Response made of another's body",
  "a Response made of a URLSearchParams' body",
  "a Response made of another's body, with fields of its own",
];

export const bodyDifferences: readonly Difference[] = [
  {
    reason:
      "A wrong Content-Length of the app is put right by both (RFC 9110 §8.6); here it also ends the connection, and the log says so.",
    cases: [
      {
        rows: wrongLength,
        requests: ["GET", "HEAD"],
        ours: { connection: "close", next: "closed" },
      },
      { rows: wrongLength, requests: kept, ours: { connection: "close" } },
      { rows: lengthOfNothing, requests: ["GET"], ours: { connection: "close", next: "closed" } },
      { rows: lengthOfNothing, requests: kept, ours: { connection: "close" } },
    ],
  },
  {
    reason:
      "A stream with a Content-Length of the app's is sent with that length (RFC 9112 §6.3), and one that breaks it ends the connection inside the body; Bun.serve drops the length.",
    cases: [
      ...measured(["a stream with its Content-Length"], "6"),
      ...measured(["a direct stream with its Content-Length"], "7"),
      ...measured(["a stream longer than its Content-Length"], "4"),
      ...measured(["a stream shorter than its Content-Length"], "10"),
      ...measured(["a Response from fetch()"], "13"),
      ...measured(["a Response from fetch() with status 404"], "7"),
      {
        rows: ["a stream longer than its Content-Length"],
        requests: gets,
        ours: { body: "one", end: "cut", next: "closed" },
      },
      {
        rows: ["a stream shorter than its Content-Length"],
        requests: gets,
        ours: { end: "cut", next: "closed" },
      },
      {
        rows: [
          "a stream longer than its Content-Length",
          "a stream shorter than its Content-Length",
        ],
        requests: kept,
        ours: { connection: "keep-alive" },
      },
      {
        rows: ["an empty stream with a Content-Length of 0"],
        requests: ["HEAD"],
        ours: { "content-length": "0", "transfer-encoding": null },
      },
    ],
  },
  {
    reason:
      "A stream has no length unless the app states one; Bun.serve finds one for a stream that is over before the head is sent.",
    cases: [
      ...streamed([
        "a stream that is ready",
        "an empty stream",
        "an empty stream that takes time",
        "a stream of text",
        "a stream of buffers and views",
        "a stream of type bytes",
        "a direct stream",
        "a direct stream that is closed",
        "a direct stream that writes nothing",
        "a direct stream whose source is a class",
        "a Response made of half of another's body, which is tee()d",
        "a Response made of another's body, which is piped",
      ]),
      streamedHead(["an empty stream"]),
      {
        rows: ["the same stream each time"],
        requests: ["GET"],
        ours: { framing: "chunked", "transfer-encoding": "chunked", "content-length": null },
      },
    ],
  },
  {
    reason:
      "The body of another Response has its length and type in `new Response(other.body, other)`, unless it is a form; elsewhere it is a stream like any other. Bun.serve looks for what is behind each.",
    cases: [...streamed(borrowed, { "content-type": null }), streamedHead(borrowed)],
  },
  {
    reason:
      "What is neither text, bytes, a Blob nor a form is sent as a stream without a type; Bun.serve measures the text or bytes that it becomes.",
    cases: [...streamed(otherThings, { "content-type": null }), streamedHead(otherThings)],
  },
  {
    reason:
      "A Response from fetch() is sent as a stream also when its body was there at once (a data: url).",
    cases: [
      ...streamed(["a Response from fetch() of a data: url"]),
      streamedHead(["a Response from fetch() of a data: url"]),
      {
        rows: ["a Response from fetch() of a data: url"],
        requests: ["HEAD"],
        ours: { "content-type": asGet },
      },
    ],
  },
  {
    reason:
      "What fetch() has decoded is sent without the Content-Encoding and Content-Length that it had on its way; Bun.serve sends plain bytes under the old Content-Encoding, which no client can decode.",
    cases: [
      {
        rows: [
          "a compressed Response from fetch()",
          "a compressed Response from fetch(), in a new one",
          "a compressed Response from fetch(), in a new one with its fields",
          "a clone of a compressed Response from fetch()",
          "a compressed Response from fetch() that was cloned",
        ],
        ours: { "content-encoding": null },
      },
    ],
  },
  {
    reason:
      "What fetch() has passed on undecoded keeps its Content-Length; Bun.serve sends it as a stream.",
    cases: [
      ...measured(undecoded, "33"),
      { rows: undecoded, requests: kept, ours: { connection: "keep-alive", next: "answered" } },
    ],
  },
  {
    reason:
      "A file of /proc is read to its end, though it says that its size is 0; Bun.serve believes it.",
    cases: [
      ...streamed(["a file of /proc"]),
      { rows: ["a file of /proc"], requests: gets, ours: { body: "Linux\n" } },
      streamedHead(["a file of /proc"]),
      { rows: ["a file of /proc"], requests: ["HEAD"], ours: { "content-type": asGet } },
    ],
  },
  {
    reason:
      "A slice of a file is 206 with Content-Range for HEAD as for GET (RFC 9110 §9.3.2), where Bun.serve says 200 to HEAD.",
    cases: [
      {
        rows: [
          "a slice of a file",
          "a slice of a file to its end",
          "a range of a slice of a file",
          "a slice of a file from its start",
          "a slice of a slice of a file",
          "a slice of a file with a type",
          "a large slice of a file",
          "a Response made of the body of a slice of a file",
          "a slice of a file with another name",
          "a slice of a named file",
          "a slice that is all of a slice",
        ],
        requests: ["HEAD"],
        ours: { status: asGet, reason: asGet, "content-range": asGet },
      },
    ],
  },
  {
    reason:
      "A slice of a file keeps a status that the app has set, and an empty one is no range (RFC 9110 §14.4).",
    cases: [
      {
        rows: ["a slice of a file with status 201"],
        requests: gets,
        ours: { status: "201", reason: "Created", "content-range": null },
      },
      {
        rows: ["a slice behind the end of a file"],
        requests: gets,
        ours: { status: "200", reason: "OK", "content-range": null },
      },
    ],
  },
  {
    reason:
      "A range beyond the end of a file is 416 with the type of the file; Bun.serve says it if the app has set any field.",
    cases: [
      {
        requests: gets,
        theirs: { status: "416", "content-type": null },
        ours: { "content-type": "text/plain;charset=utf-8" },
      },
      {
        rows: ["Range: bytes=200000- of 200,000 bytes"],
        requests: gets,
        ours: { "content-type": "application/octet-stream" },
      },
    ],
  },
  {
    reason:
      "A number in Range has any number of digits (RFC 9110 §14.1.2); Bun.serve ignores a Range that it can't count in 64 bits.",
    cases: [
      {
        rows: ["Range: bytes=0-99999999999999999999", "Range: bytes=-99999999999999999999"],
        requests: gets,
        ours: {
          status: "206",
          reason: "Partial Content",
          "content-range": "bytes 0-12/13",
          "accept-ranges": "bytes",
        },
      },
      {
        rows: ["Range: bytes=99999999999999999999-"],
        requests: gets,
        ours: {
          status: "416",
          reason: "Range Not Satisfiable",
          "content-range": "bytes */13",
          "accept-ranges": "bytes",
          "content-length": "0",
          body: "",
        },
      },
    ],
  },
  {
    reason:
      "Two Range fields are one list (RFC 9110 §5.3), and none that is served in parts; Bun.serve takes the first. An app that says `Accept-Ranges: none` (§14.3) sends all, and so does an empty If-Range; one that says `bytes` says it once.",
    cases: [
      {
        rows: [
          "two Ranges",
          "a range of a file with Accept-Ranges: none",
          ...rangeApps.map(([app]) => `If-Range:  of ${app}`),
        ],
        requests: gets,
        ours: {
          status: "200",
          reason: "OK",
          "content-range": null,
          "accept-ranges": null,
          "content-length": "13",
          body: "a small file\n",
        },
      },
      {
        rows: ["a range of a file with Accept-Ranges: none"],
        requests: gets,
        ours: { "accept-ranges": "none" },
      },
      {
        rows: ["a range of a file with Accept-Ranges: bytes"],
        requests: gets,
        ours: { "accept-ranges": "bytes" },
      },
    ],
  },
  {
    reason:
      "The name of a file of unknown type is told with the disposition that RFC 6266 §4.1 demands, `inline`, and if it isn't plain ASCII as RFC 8187 has it; Bun.serve leaves out both.",
    cases: [
      ...["small", "large.bin", "ostype"].map((name) => ({
        requests: gets,
        theirs: { "content-disposition": `filename="${name}"` },
        ours: { "content-disposition": `inline; filename="${name}"` },
      })),
      {
        rows: [
          "a file of 200,000 bytes",
          "a large slice of a file",
          "a Response made of the body of a file of 200,000 bytes",
          ...largeRanges.map((value) => `Range: ${value} of 200,000 bytes`),
        ],
        requests: ["HEAD"],
        ours: { "content-disposition": 'inline; filename="large.bin"' },
      },
      {
        rows: ["a small file without an extension", "a file of /proc"],
        requests: ["HEAD"],
        ours: { "content-disposition": asGet },
      },
    ],
  },
];
