/** What a client sees of one answer, in a form that two servers can be compared by. */
import type { ServerAddress } from "../../../bench/byte-client.ts";
import { type Answer, RawClient } from "../raw-client.ts";
import { get, get10, head } from "../wire.ts";

export const requests = {
  GET: get,
  HEAD: head,
  "GET 1.0": get10,
  "GET 1.0 keep-alive": (path: string, ...lines: readonly string[]) =>
    get10(path, "Connection: keep-alive", ...lines),
} as const;

export type RequestKind = keyof typeof requests;
export const kinds = Object.keys(requests) as RequestKind[];

/** By aspect: `status`, `reason`, `framing`, `body`, `end`, `next`, and each field under its name; a repeated one by lines. */
export type Seen = Readonly<Record<string, string>>;

/** Asks for a row, and behind it, on the same connection, for something plain. */
export async function observe(
  to: ServerAddress,
  row: string,
  kind: RequestKind,
  lines: readonly string[],
): Promise<Seen> {
  using client = await RawClient.connect(to);
  const request = requests[kind](`/${encodeURIComponent(row)}`, ...lines);
  let answer: Answer;
  try {
    answer = await client.ask(request, kind === "HEAD" ? "HEAD" : "GET");
  } catch (error) {
    return { answer: troubleOf(error) };
  }
  const next = answer.framing === "close" ? "closed" : await nextOf(client);
  return { ...seen(answer), next };
}

/** Whether the connection goes on, and with the first byte behind the answer. */
async function nextOf(client: RawClient): Promise<string> {
  try {
    const answer = await client.ask(get("/next", "Connection: close"));
    return answer.status === 200 && answer.body.toString() === "next" ? "answered" : "another";
  } catch (error) {
    return troubleOf(error);
  }
}

/** What the raw client found, without its details. */
function troubleOf(error: unknown): string {
  const { message } = error as Error;
  const ended = /^no answer; ended by (?:fin|reset), 0 bytes/.test(message);
  return ended ? "closed" : message.replace(/[:;][^]*/, "");
}

function seen({ status, reason, fields, framing, body, complete }: Answer): Seen {
  const boundary = fields
    .map(([, value]) => /^multipart\/form-data; boundary="?([^";]+)/.exec(value)?.[1])
    .find((found) => found !== undefined);
  const plain = (text: string) => (boundary === undefined ? text : text.replaceAll(boundary, "B"));
  const byName = Map.groupBy(fields, ([name]) => name.toLowerCase());
  const values = [...byName].map(([name, lines]): [string, string] => {
    const value = plain(lines.map(([, value]) => value).join("\n"));
    return [name, name === "date" && isNow(value) ? "now" : value];
  });
  return {
    status: String(status),
    reason,
    framing,
    body: shown(plain(body.toString("latin1"))),
    end: complete ? "complete" : "cut",
    ...Object.fromEntries(values),
  };
}

function isNow(date: string): boolean {
  return (
    /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(date) &&
    Math.abs(Date.parse(date) - Date.now()) < 60_000
  );
}

function shown(body: string): string {
  return body.length <= 500 ? body : `${body.length} bytes, ${Bun.hash(body).toString(16)}`;
}
