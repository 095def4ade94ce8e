/** One difference, and the words that several of them need. */
import type { RequestKind } from "./observe.ts";

/** What the same row says to GET. */
export const asGet = Symbol("as GET");

export interface Case {
  readonly app?: "bare" | "hooked";
  /** All of them if absent. */
  readonly rows?: readonly string[];
  /** All kinds if absent. */
  readonly requests?: readonly RequestKind[];
  /** What Bun.serve must say, by aspect, for the case to apply; null: nothing. */
  readonly theirs?: Readonly<Record<string, string | null>>;
  /** What ours says instead. */
  readonly ours: Readonly<Record<string, string | null | typeof asGet>>;
}

export interface Difference {
  readonly reason: string;
  readonly cases: readonly Case[];
}

export const gets = ["GET", "GET 1.0", "GET 1.0 keep-alive"] as const;
export const old = ["GET 1.0", "GET 1.0 keep-alive"] as const;
export const kept = ["GET 1.0 keep-alive"] as const;

export const page = {
  body: `<html>
  <head>
    <title>Internal Server Error</title>
  </head>
  <body>
    <h1><p>Internal Server Error</p></h1>
    
  </body>
</html>
`,
  "content-type": "text/html",
  "content-length": "141",
};
export const pageHead = { "content-type": "text/html", "content-length": "141" };
export const failed = { status: "500", reason: "Internal Server Error" };
