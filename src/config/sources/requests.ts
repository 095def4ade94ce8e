/** The words of --request, which is no setting: what to ask an app on a start that ends with the answers. */
import { UsageError } from "../../api/errors.ts";
import { quote } from "../values/kinds.ts";

/** The flags, in the order in which help lists them. */
export const requestFlags = {
  request: {
    long: "--request",
    metavar: "REQUEST",
    description:
      "Ask the app METHOD PATH without a port, print the answer, and exit: 0 for 2xx and 3xx; repeat for more",
  },
  header: {
    long: "--request-header",
    metavar: "FIELD",
    description: "A header field of the --request in front of it, NAME: VALUE; repeat for more",
  },
  body: {
    long: "--request-body",
    metavar: "BODY",
    description: "The body of the --request in front of it: a text, or @FILE",
  },
} as const satisfies Readonly<Record<string, RequestFlag>>;

interface RequestFlag {
  readonly long: `--${string}`;
  readonly metavar: string;
  readonly description: string;
}

export type RequestPart = keyof typeof requestFlags;

export interface AskedRequest {
  readonly method: string;
  /** As it goes over the wire. */
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: AskedBody | null;
}

export type AskedBody =
  | { readonly type: "text"; readonly text: string }
  /** From the directory that the program was started in. */
  | { readonly type: "file"; readonly path: string };

/**
 * Reads the flags' values, in the order in which they stand: fields and body belong to the request in front of them.
 * @throws UsageError
 */
export function readRequests(
  words: readonly (readonly [part: RequestPart, word: string])[],
): readonly AskedRequest[] {
  const requests: AskedRequest[] = [];
  for (const [part, word] of words) {
    if (part === "request") {
      requests.push(readRequest(word));
      continue;
    }
    const last = requests.pop();
    if (last === undefined) refuse(part, "must stand behind the --request that it belongs to");
    if (part === "body" && last.body !== null) refuse(part, "a request has one body");
    requests.push(
      part === "body"
        ? { ...last, body: readBody(word) }
        : { ...last, fields: [...last.fields, readField(word)] },
    );
  }
  return requests;
}

function readRequest(word: string): AskedRequest {
  const [, method, target] = /^([^\s\0-\x1f\x7f]+) +([^\s\0-\x1f\x7f]+)$/.exec(word.trim()) ?? [];
  if (method === undefined || target === undefined) {
    refuse("request", `must be METHOD PATH, got ${quote(word)}`);
  }
  return { method, target, fields: [], body: null };
}

/** What is no field for HTTP is for the server to refuse, as long as it is one line. */
function readField(word: string): readonly [string, string] {
  const [, name, value] = /^([^:\s]+):[ \t]*([^\r\n]*)$/.exec(word) ?? [];
  if (name === undefined || value === undefined) {
    refuse("header", `must be NAME: VALUE, got ${quote(word)}`);
  }
  return [name, value];
}

function readBody(word: string): AskedBody {
  return word.startsWith("@")
    ? { type: "file", path: word.slice(1) }
    : { type: "text", text: word };
}

function refuse(part: RequestPart, why: string): never {
  throw new UsageError(`argument ${requestFlags[part].long}: ${why}`);
}
