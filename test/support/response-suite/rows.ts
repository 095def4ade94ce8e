/** What the suite asks both servers for: each row is a name, a handler that answers its path, and fields of the request. */
import { blobs, bytes, files, forms, texts } from "./bodies.ts";
import { ranges } from "./ranges.ts";
import { failures, fieldRows, statuses } from "./heads.ts";
import { secondHand } from "./second-hand.ts";
import { streams } from "./streams.ts";

export type SuiteRow = readonly [
  name: string,
  answer: () => unknown,
  /** Field lines of the request. */
  lines?: readonly string[],
];

export const rows: readonly SuiteRow[] = [
  ...texts,
  ...bytes,
  ...blobs,
  ...files,
  ...ranges,
  ...forms,
  ...streams,
  ...secondHand,
  ...statuses,
  ...fieldRows,
  ...failures,
];

/** Rows that an `error` hook has a say in. */
const failing = new RegExp(
  `^(?:${[
    "a symbol",
    "a missing file",
    "a directory",
    "status 101",
    "Response.error\\(\\)",
    "a stream that (?:fails|was)",
    "an async generator that throws",
    "a direct stream that (?:throws|fails)",
    "the same",
    "a Response (?:that was read|whose body|made of (?!the same))",
  ].join("|")})`,
);

export const hookedRows: readonly SuiteRow[] = rows.filter(
  (row) => failures.includes(row) || failing.test(row[0]),
);
