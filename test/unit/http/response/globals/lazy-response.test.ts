import { describe, expect, test } from "bun:test";
import {
  lazyResponse,
  nativeResponse,
  untouchedAnswer,
} from "../../../../../src/http/response/globals/lazy-response.ts";

const answer = {
  status: 201,
  statusText: "Made",
  fields: ["X-One", "1", "Set-Cookie", "a=1", "Set-Cookie", "b=2", "x-one", "2"],
  body: "héllo",
};

test("until it is touched, it is what it was made from", () => {
  const response = lazyResponse(answer);
  expect(response instanceof Response).toBe(true);
  expect(untouchedAnswer(response)).toBe(answer);
  expect(untouchedAnswer(new Response())).toBeNull();
  expect(nativeResponse(response)).toBe(nativeResponse(response));
  expect(untouchedAnswer(response)).toBeNull();
});

/** Each is read of a fresh one, and of a native Response of the same. */
const touches: Readonly<Record<string, (response: Response) => unknown>> = {
  status: (response) => response.status,
  statusText: (response) => response.statusText,
  ok: (response) => response.ok,
  type: (response) => response.type,
  redirected: (response) => response.redirected,
  url: (response) => response.url,
  headers: (response) => [...response.headers],
  "text()": (response) => response.text(),
  "bytes()": (response) => response.bytes(),
  "bodyUsed after text()": async (response) => [await response.text(), response.bodyUsed],
  "clone()": (response) => response.clone().text(),
  "a stream": (response) => new Response(response.body).text(),
};

describe("as a native one", () => {
  test.each(Object.entries(touches))("%s", async (_name, read) => {
    const headers = new Headers();
    for (let at = 0; at < answer.fields.length; at += 2)
      headers.append(answer.fields[at]!, answer.fields[at + 1]!);
    const native = new Response(Buffer.from(answer.body), { ...answer, headers });
    const response = lazyResponse(answer);
    expect(await read(response)).toEqual(await read(native));
    expect(untouchedAnswer(response)).toBeNull();
  });
});

test("a field that somebody sets is kept", () => {
  const response = lazyResponse(answer);
  response.headers.set("X-Two", "2");
  expect(response.headers.get("x-two")).toBe("2");
  expect(nativeResponse(response).headers.get("x-two")).toBe("2");
});

test.each([204, 205, 304])("status %i has no body", (status) => {
  expect(nativeResponse(lazyResponse({ ...answer, status })).body).toBeNull();
});
