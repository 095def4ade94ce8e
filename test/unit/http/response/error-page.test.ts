import { describe, expect, test } from "bun:test";
import { errorPage } from "../../../../src/http/response/error-page.ts";
import { httpDate } from "../../../../src/http/response/head/date.ts";

const date = httpDate(784_111_777_000);
const context = { head: false, versionMinor: 1, keepAlive: true, date, request: null } as const;

describe("errorPage()", () => {
  test("is Gunicorn's", () => {
    const message = "Invalid Request Line 'Invalid HTTP request line: 'GET HTTP/1.1''";
    const page = errorPage(400, message, { ...context, keepAlive: false });
    expect(page.body).toBe(`<html>
  <head>
    <title>Bad Request</title>
  </head>
  <body>
    <h1><p>Bad Request</p></h1>
    Invalid Request Line &#x27;Invalid HTTP request line: &#x27;GET HTTP/1.1&#x27;&#x27;
  </body>
</html>
`);
    expect(page.head).toBe(
      `HTTP/1.1 400 Bad Request\r\nServer: gunicorn-ts\r\nDate: ${date}\r\nConnection: close\r\n` +
        "Content-Type: text/html\r\nContent-Length: 205\r\n\r\n",
    );
    expect(page.keepAlive).toBe(false);
  });

  test("escapes, and counts bytes", () => {
    const page = errorPage(500, '<b>&"\u00e9', context);
    expect(page.body).toContain("&lt;b&gt;&amp;&quot;\u00e9");
    expect(page.bodyBytes).toBe(Buffer.byteLength(String(page.body)));
  });
});
