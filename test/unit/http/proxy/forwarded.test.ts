import { describe, expect, test } from "bun:test";
import { errors } from "../../../../src/http/errors.ts";
import {
  compileSchemeHeaders,
  readScheme,
  readScriptName,
  splitScriptName,
} from "../../../../src/http/proxy/forwarded.ts";
import type { Head } from "../../../../src/http/syntax/head.ts";
import { RequestParser } from "../../../../src/http/syntax/parser.ts";
import { defaultLimits } from "../../../support/corpus.ts";

const gunicornDefault = {
  "X-FORWARDED-PROTOCOL": "ssl",
  "X-FORWARDED-PROTO": "https",
  "X-FORWARDED-SSL": "on",
};
const browserFields = [
  "Connection: keep-alive",
  "User-Agent: https",
  "Accept-Encoding: gzip",
  "Accept-Language: on",
  "X-Requested-Wit: on",
];

/** As the parser leaves it for a trusted peer. */
function headOf(fields: readonly string[]): Head {
  const parser = new RequestParser(defaultLimits, { forwarderHeaders: ["SCRIPT_NAME"] });
  parser.trusted = true;
  const bytes = Buffer.from(
    `GET / HTTP/1.1\r\nHost: a\r\n${fields.map((f) => `${f}\r\n`).join("")}\r\n`,
  );
  expect(parser.feed(bytes, 0, bytes.length)).toBe("head");
  return parser.head;
}

const contradictory = "contradictory scheme headers";

describe("readScheme()", () => {
  const rules = compileSchemeHeaders(gunicornDefault);

  test.each([
    [["X-Forwarded-Proto: https"], "https"],
    [["x-forwarded-proto: https"], "https"],
    [["X-FORWARDED-PROTO:\thttps \t"], "https"],
    [["X-Forwarded-Proto: http"], "http"],
    [["X-Forwarded-Proto: HTTPS"], "http"],
    [["X-Forwarded-Proto: httpx"], "http"],
    [["X-Forwarded-Proto: https, https"], "https"],
    [["X-Forwarded-Proto: https,https"], "https"],
    [["X-Forwarded-Proto: https \t,\thttps , https"], "https"],
    [["X-Forwarded-Proto: ,https, ,https,"], "https"],
    [["X-Forwarded-Proto: https,"], "https"],
    [["X-Forwarded-Proto: http, http"], "http"],
    [["X-Forwarded-Proto: http, ws"], "http"],
    [["X-Forwarded-Proto: HTTPS, Https"], "http"],
    [["X-Forwarded-Proto: https https"], "http"],
    [["X-Forwarded-Proto: https; https"], "http"],
    [["X-Forwarded-Proto: ,"], "http"],
    [["X-Forwarded-Ssl: on, on"], "https"],
    [["X-Forwarded-Proto: https, https", "X-Forwarded-Proto: https"], "https"],
    [["X-Forwarded-Proto: https, https", "X-Forwarded-Ssl: on,on"], "https"],
    [["X-Forwarded-Proto: https, http"], contradictory],
    [["X-Forwarded-Proto: http, https"], contradictory],
    [["X-Forwarded-Proto: https, HTTPS"], contradictory],
    [["X-Forwarded-Proto: https, https, http"], contradictory],
    [["X-Forwarded-Proto: https, https", "X-Forwarded-Proto: http"], contradictory],
    [["X-Forwarded-Proto: http, http", "X-Forwarded-Ssl: on"], contradictory],
    [["X-Forwarded-Proto:"], "http"],
    [["X-Forwarded-Protocol: ssl"], "https"],
    [["X-Forwarded-Protocol: https"], "http"],
    [["X-Forwarded-Ssl: on"], "https"],
    [["X-Forwarded-Ssl: off"], "http"],
    [["X-Forwarded-Proto: https", "X-Forwarded-Ssl: on", "X-Forwarded-Protocol: ssl"], "https"],
    [["X-Forwarded-Proto: http", "X-Forwarded-Ssl: off"], "http"],
    [["X-Forwarded-Proto: https", "X-Forwarded-Proto: https"], "https"],
    [["X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"], contradictory],
    [["X-Forwarded-Ssl: off", "X-Forwarded-Proto: https"], contradictory],
    [["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], contradictory],
    [["X-Forwarded-Proto: https", "X-Forwarded-Protocol: https"], contradictory],
  ] as const)("of %p is %s, whatever the connection is", (fields, expected) => {
    for (const own of ["http", "https"] as const) {
      expect(readScheme(headOf(fields), rules, own)).toBe(expected);
      expect(readScheme(headOf([...browserFields, ...fields]), rules, own)).toBe(expected);
      expect(readScheme(headOf([...fields, ...browserFields]), rules, own)).toBe(expected);
    }
  });

  test.each([
    [[]],
    [browserFields],
    [["X-Forwarded-Prota: https"]],
    [["Y-Forwarded-Proto: https"]],
    [["X-Forwarded-Proto2: https"]],
    [["Forwarded: proto=https"]],
  ])("of %p is the connection's own scheme", (fields) => {
    expect(readScheme(headOf(fields), rules, "http")).toBe("http");
    expect(readScheme(headOf(fields), rules, "https")).toBe("https");
  });

  test("knows no header but those of the setting, of any length", () => {
    const long = `X-${"A".repeat(45)}`;
    const own = compileSchemeHeaders({ "X-TLS": "", [long]: "1", "X-List": "a, b" });
    expect(readScheme(headOf(["X-List: a, b"]), own, "http")).toBe("https");
    expect(readScheme(headOf(["X-List: a, a"]), own, "https")).toBe("http");
    expect(readScheme(headOf(["X-Forwarded-Proto: https"]), own, "http")).toBe("http");
    expect(readScheme(headOf(["X-Tls:"]), own, "http")).toBe("https");
    expect(readScheme(headOf([`${long}: 1`]), own, "http")).toBe("https");
    expect(readScheme(headOf(["X-Forwarded-Proto: https"]), compileSchemeHeaders({}), "http")).toBe(
      "http",
    );
  });

  test("touches no text of a head without fields of these lengths", () => {
    const head = headOf(["Accept: text/html", "Connection: keep-alive"]);
    Object.defineProperty(head, "text", {
      get() {
        throw new Error("sliced");
      },
    });
    expect(readScheme(head, rules, "http")).toBe("http");
  });

  test("a contradiction is answered with 400", () => {
    expect(errors[contradictory].status).toBe(400);
  });
});

test.each([
  [[], null],
  [["Script-Name: /api"], null],
  [["SCRIPT_NAME: /api"], "/api"],
  [["script_name: /api"], "/api"],
  [["SCRIPT_NAME:"], ""],
  [["SCRIPT_NAME: /a", "SCRIPT_NAME: /b", "Accept: */*"], "/b"],
  [["SCRIPT_NAMF: /a"], null],
])("readScriptName(%p) is %p", (fields, expected) => {
  expect(readScriptName(headOf(fields))).toBe(expected);
});

test("readScriptName() sees nothing of a peer that isn't trusted", () => {
  const parser = new RequestParser(defaultLimits, { forwarderHeaders: ["SCRIPT_NAME"] });
  const bytes = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /api\r\n\r\n");
  expect(parser.feed(bytes, 0, bytes.length)).toBe("head");
  expect(readScriptName(parser.head)).toBeNull();
});

test.each([
  ["/api/x", "/api", "/x"],
  ["/api/", "/api", "/"],
  ["/api", "/api", "/"],
  ["/api?a=/b", "/api", "/?a=/b"],
  ["/api/?a", "/api", "/?a"],
  ["/api/x?a", "/api", "/x?a"],
  ["/api//x", "/api", "//x"],
  ["/api/api", "/api", "/api"],
  ["/api/v1/x", "/api/v1", "/x"],
  ["/api/x", "/api/", "/x"],
  ["/api", "/api/", "/"],
  ["/x", "", "/x"],
  ["/x", "/", "/x"],
  ["/", "", "/"],
  ["/?a", "", "/?a"],
  ["/apis", "/api", null],
  ["/api.html", "/api", null],
  ["/api%2Fx", "/api", null],
  ["/%61pi/x", "/api", null],
  ["/API/x", "/api", null],
  ["/x/api", "/api", null],
  ["/", "/api", null],
  ["/ap", "/api", null],
  ["/x?/api", "/api", null],
  ["/api/x", "api", null],
  ["*", "/api", null],
])("splitScriptName(%p, %p) is %p", (target, prefix, expected) => {
  expect(splitScriptName(target, prefix)).toBe(expected);
});
